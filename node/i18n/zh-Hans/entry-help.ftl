# The help of the entry node. Its English stands in the comments of the options, in the code.

entry-help-potluck-bootstrap =
    Potluck 网络的入口节点：一个从哪里都能连到的地址。

    它为无法直接连到的节点转发，告诉它们彼此的存在，替它们测试能否从外面连到，
    并为关机的节点保存密封的信件。它看得到的只有密封的字节、大小、时间，
    以及谁和谁来往；内容它读不到。
    .after =
        在有公网地址的服务器上：  potluck-bootstrap
        在转发端口的路由器后面：  potluck-bootstrap --external 203.0.113.7:4001
        然后在任何局域网的每台电脑上：  potluck up --join 地址（它会显示这个地址）

        设置从数据文件夹里的 config.toml 读取，命令行选项优先。可以设置什么，见 docs/configuration.md；
        怎样作为服务运行，见 docs/entry-node.md。
        退出码：0 已停止，1 内部错误，2 用法或设置有误
    .data_dir = 数据文件夹：身份、设置、信件 [默认：用户的数据文件夹]
    .config = 设置文件 [默认：数据文件夹里的 config.toml]
    .external = 别人在哪里连到它：203.0.113.7、203.0.113.7:4001 或 multiaddr；可以重复 [默认：这台机器的公网地址]
    .listen = 监听这个 multiaddr；可以重复 [默认：所有地址的 TCP 和 QUIC 端口 4001]
    .join = 连接到另一个入口节点；可以重复
    .name = 别人看到的名称 [默认：主机名]
    .mesh = 它所属的网络 [默认：potluck]
    .http = 在哪里应答 /healthz 和 /metrics，或 off；能连到的人都能读
    .json = 用一行 JSON 说明已就绪
    .lang = 用什么语言：en 或 zh [默认：设置里的，否则是系统的]
