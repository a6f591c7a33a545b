# Why something is not done, of what has no error type of its own.

reasons-answer-lost = 回答丢失了
reasons-input-late = 没能及时读取输入
reasons-late = { $seconds } 秒内没有回答；用 --timeout 可以等得更久
reasons-not-there = { $name } 不提供 { $capability }，或者不在
reasons-no-model = 这里没有节点有模型 { $model }；现有：{ $known }
reasons-nobody = 这里没有节点提供 { $capability }（已提供：{ $known ->
        [nothing] 无
       *[other] { $known }
    }）。启动一个提供它的节点，或运行 `potluck doctor`
reasons-nobody-nor-this = 这里没有节点提供 { $capability }（已提供：{ $known ->
        [nothing] 无
       *[other] { $known }
    }；本节点：{ $why }）。启动一个提供它的节点，或运行 `potluck doctor`
reasons-no-mail = 本节点没有邮件：它运行时没有数据文件夹
reasons-unreadable = 看不懂对方的回答；对方的版本可能不同（{ $why }）
reasons-goodbye = 离开了
reasons-lost = 没有回应了
reasons-expired = 很久没有消息
reasons-evicted = 为别的节点让出了位置
reasons-gone = 不在了
reasons-no-address = { $text } 不是地址：{ $why }
reasons-no-host = { $text } 不是地址：{ $why }。写成 192.168.1.20:4001 或 multiaddr
reasons-label-count = 标签的个数是 1 到 { $most }
reasons-call-without-picture = 请求里没有图片
reasons-call-without-table = 请求里没有表格
reasons-model-not-loaded = 模型还没有加载
reasons-faces-not-loaded = 人脸模型还没有加载
reasons-long-text = 文字有 { $bytes } 字节；机器人最多读 { $most } 字节
reasons-not-offered = 本节点不提供 { $capability }
reasons-not-counted = 本节点无法记下你调用 { $capability } 的次数；请节点的主人检查磁盘
reasons-not-ready = { $capability } 在本节点还没有就绪
reasons-not-ready-why = { $capability } 在本节点还没有就绪：{ $why }
reasons-input-too-large = 输入有 { $bytes } 字节；本节点最多接受 { $most } 字节
reasons-service-broke = 服务在工作时出错
reasons-stopping = 节点正在停止
reasons-caller-left = 请求的一方离开了
reasons-time-up = 时间到了
reasons-input-unreadable = 输入读不出来：{ $why }
reasons-input-gone = 输入不见了
reasons-request-misfit = 请求与这个能力不符：{ $why }
reasons-mask-bytes = 词云的形状有 { $bytes } 字节，最多 { $most } 字节
reasons-unreadable-answer = 看不懂回答
reasons-bad-input = 输入有问题：{ $what }
reasons-nobody-serves = 没有节点能做：{ $what }
reasons-peer-failed = 对方出错：{ $what }
reasons-refused = 对方拒绝：{ $what }
reasons-timed-out = 超时：{ $what }
reasons-report-broken = 报告有问题：{ $what }
reasons-report-missing = 回答里没有报告
reasons-report-too-large = 太大了
reasons-report-harmful = { $name } 里有报告不需要的内容
reasons-report-lacks = 缺少 { $name }
reasons-mask = 词云的形状 { $name } { $what }；请用一张图片，或者其中之一：{ $shapes }
reasons-mask-unusable = 不能用：{ $why }
reasons-mask-large = 有 { $mib } MiB
reasons-mask-unreadable = 读不出来：{ $why }
reasons-mask-no-picture = 不是图片：{ $why }
reasons-mask-no-file = 不是文件
reasons-report-unwritable = { $path } 无法写入：{ $why }
reasons-port-taken = 另一个程序占用了这个端口。用 --listen 换一个，或用端口 0 任选一个空闲的
reasons-port-denied = 1024 以下的端口需要管理员权限。用 --listen 选一个更大的
reasons-address-not-here = 这台电脑没有这个地址。请看 `potluck doctor`
reasons-no-such-interface = 没有网络接口有这样的地址
reasons-address-empty = 它是空的
reasons-address-meant = 是不是 { $address }？
reasons-address-form = 写成 /ip4/192.168.1.20/tcp/4001 这样
reasons-base-user = 里面有用户名
reasons-base-unprotected = 密钥会不加保护地传送
reasons-base-tail = 路径后面还有内容
reasons-given-up = 没有等到回答就放弃了
reasons-no-room = 没有地方放它的输入
reasons-slow-rules = 机器人的规则处理这段文字太慢；请换一段短些的文字，或请它的主人把规则写得简单些
reasons-no-addresses = 邀请里没有地址
reasons-took-too-long = 没有及时回应
reasons-no-member-any-more = 私有网 { $mesh } 不再让本节点进入：{ $why }
