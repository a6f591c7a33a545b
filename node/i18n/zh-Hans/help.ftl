# The help of commands and options. Its English stands in the comments of the options, in the code.

help-potluck = 人人带一道菜：局域网里的任何电脑都能提供服务，也都能请求服务。
    .after =
        先试试：  potluck demo      然后在每台电脑上：  potluck up
        退出码：0 完成，1 内部错误，2 用法或输入有误，3 没有节点能做，
        4 对方出错，5 被拒绝，6 超时
    .data_dir = 数据文件夹：身份、设置、模型 [默认：用户的数据文件夹]
    .join = 连接到这个地址：192.168.1.20:4001 或 multiaddr；可以重复
    .listen = 监听这个 multiaddr，例如 /ip4/0.0.0.0/tcp/4001；可以重复
    .no_mdns = 不用 mDNS 寻找邻居
    .json = 只输出一个 JSON 文档
    .timeout = 一次请求最多可以用多长时间
    .explain = 说明试过哪些节点，以及原因
    .lang = 语言：en 或 zh [默认：设置里的，否则是系统的]

help-up = 运行节点，直到按 Ctrl-C
    .name = 别人看到的名称 [默认：主机名]
    .offer = 只提供这个能力；可以重复
    .withhold = 不提供这个能力；可以重复

help-ask = 问聊天机器人
    .text = 要说的话；多个词不用加引号
    .peer = 只让这个节点回答（它的标识）

help-recognize = 说出图片里有什么
    .images = 图片：JPEG、PNG、WebP、BMP、GIF 或 TIFF
    .top = 每张图片给出几个标签
    .model = 用哪个模型；`potluck models list` 会列出本节点的 [默认：对方自己的]
    .peer = 只让这个节点处理（它的标识）

help-faces = 找出图片里的人脸，以及性别和年龄
    .after =
        只有用 --via facepp，或者用 --via auto 而你自己的设置里写了 [faces] cloud = true 时，
        图片才会离开局域网。
    .images = 图片：JPEG、PNG、WebP、BMP、GIF 或 TIFF
    .out = 标注图放在哪里：一张图片用一个 .jpg 或 .png 文件，多张用一个文件夹
    .via = 由谁来看：local 是网里的节点，图片不离开局域网；facepp 是 Face++ 云，通过有密钥的节点；auto 在设置允许时先用 Face++，否则用节点
    .peer = 只让这个节点处理（它的标识）

help-analyze = 为表格制作报告：数字、图表、词云
    .files = 表格：CSV 之类、.xlsx、.xls、.ods、Parquet、Arrow、JSON；也可以用 gzip 或 zstd 压缩；- 从管道读取；第二个与第一个对比
    .out = 报告放在哪里 [默认：当前文件夹下的“文件名-report”]
    .only = 只要这些图表：heatmap、scatter、distributions、missing、skew、categories、trends、cloud
    .column = 词云用哪个文本列 [默认：词最多的列]
    .weight = 按哪个数字列决定词的大小 [默认：按出现次数]
    .group = 按哪一列的值把数字列分开
    .mask = 词云的形状：一张图片，或 rectangle、circle、ellipse、heart、star、cloud、diamond
    .seed = 换一个种子，词的位置就不同
    .theme = 图表图片是给纸还是给深色屏幕看：light 或 dark；网页里两种都有
    .peer = 只让这个节点处理（它的标识）

help-reading =
    .encoding = 编码，例如 utf-8、gb18030 或 big5 [默认：自动判断]
    .delimiter = 字段之间的符号，例如 ";" 或 tab [默认：自动判断]
    .quote = 含有分隔符的字段两边的符号，例如 "'" [默认：自动判断]
    .escape = 属于字段内容的引号前面的符号，例如 "\\" [默认：自动判断]
    .header = 第一行是不是列名：yes 或 no [默认：自动判断]
    .header_lines = 表头有几行，0 到 5 [默认：自动判断]
    .skip_lines = 表头上方有几行，例如标题 [默认：自动判断]
    .table = 文件里有多个表格时用哪一个，从 1 数起 [默认：第一个]
    .sheet = 用工作簿的哪个工作表：名称，或从 1 数起的序号 [默认：第一个有表格的]
    .dates = 在 01/02/2024 这样的日期里，日在前（dmy）还是月在前（mdy）[默认：自动判断]
    .no_totals = 略去是其他各行合计的最后一行

help-table = 把表格整理后写出：一行表头，CSV 或带类型的文件
    .file = 表格：CSV 之类、.xlsx、.xls、.ods、Parquet、Arrow、JSON；也可以用 gzip 或 zstd 压缩；- 从管道读取
    .out = 写出的文件：.csv，或带类型的 .parquet、.arrow、.ndjson

help-call = 使用任何能力，包括没有专门命令的
    .after =
        例如：
          potluck call chat --arg text=hello
          potluck call recognize --arg top=3 cat.jpg
          potluck call analyze --arg lang=zh -o report.tar sales.csv

        `potluck capabilities` 列出现有的能力；docs/protocol.md 说明每个能力接受什么。
    .capability = 能力，例如 chat 或 chat/1
    .arg = 一个参数：VALUE 是 JSON 就按 JSON，否则按文字；可以重复
    .file = 要处理的文件
    .output = 随回答附带的数据放在哪里
    .variant = 对方必须有的模型或其他变体
    .peer = 只让这个节点处理（它的标识）

help-send = 给人写信：文字、文件、文件夹；密封，对方离线也行
    .after =
        例如：
          potluck send --to alice --text "五点见"
          potluck send --to alice report.pdf pictures/

        信是密封的，只有收件人能打开。对方离线时，其他节点最多代存 21 天；
        `potluck outbox` 显示信到了哪一步。
    .to = 收件人：名称、指纹或标识；`potluck contacts` 会列出
    .text = 文字
    .paths = 一起寄的文件和文件夹
    .expire = 最多可以等收件人几天：不超过 21

help-inbox = 收到的信
    .after =
        例如：
          potluck inbox                      收到了什么
          potluck inbox 3f9a                 编号以此开头的信
          potluck inbox 3f9a --save .        把它的文件存到这里；不会覆盖任何文件
          potluck inbox --watch              显示每一封新来的信，直到按 Ctrl-C
    .id = 要看的信：它的编号，或编号的开头
    .save = 把它的文件存到这个文件夹
    .delete = 删除它
    .pause = 让正在收的信暂停：不再取它
    .resume = 让它继续
    .with = 只看与这个人往来的信
    .watch = 不退出，显示每一封新来的信

help-outbox = 寄出的信，以及到了哪一步
    .resend = 把这封送不到的信再寄一次
    .cancel = 撤回这封还没有送达的信
    .pause = 让这封信暂停：在继续之前不再发送
    .resume = 让这封信继续
    .delete = 从列表里删除这封已经结束的信

help-contacts = 遇到过的、可以写信的人；你自己起的名称，以及屏蔽的人
    .after =
        例如：
          potluck contacts                       遇到过的、可以写信的人
          potluck contacts add alice 12D3KooW…   她的电脑上用 `potluck id` 显示
          potluck contacts compare alice         两人互相念的验证词
          potluck contacts block mallory         不让对方的节点连接，不收对方的信件

help-peers = 网里有谁

help-capabilities = 网里能做什么，由谁来做

help-id = 本节点的标识，可以告诉别人
    .qr = 同时画成 QR 码

help-doctor = 为什么找不到别的节点，该怎么办

help-models = 本节点的模型，用于识图和人脸

help-models-list = 有哪些模型

help-models-add = 添加 ONNX 分类或人脸检测模型。认识 `googlenet` 和 `yunet`；其他的需要清单
    .after =
        例如：
          potluck models add googlenet bvlc-googlenet.onnx
          potluck models add yunet yunet_n_dynamic.onnx
          potluck models add flowers flowers.onnx --manifest flowers.toml --labels flowers.txt
        源码里的 models/README.md 说明了清单的写法。
    .name = 给 --model 用的名称
    .file = ONNX 文件
    .manifest = 输入尺寸、布局、均值、缩放和标签，TOML 格式
    .labels = 每行一个标签的文本文件

help-models-remove = 删除添加过的模型
    .name = 它的名称

help-engine = 本节点的推理引擎

help-engine-status = 用的是哪个引擎，在哪里找过 ONNX Runtime

help-engine-install = 通过 pip 或 npm 取得 ONNX Runtime（约 25 MB），并按哈希校验

help-demo = 在一个进程里、在本机上运行三个节点：识图、聊天，以及一个中途停掉的节点

help-contacts-add = 给某人起一个你自己的名称；给联系人的也就给了对方
    .name = 名称
    .client = 对方的标识，或遇到过的人的指纹、昵称

help-contacts-rename = 给联系人改名
    .name = 现在的名称
    .to = 新的名称

help-contacts-remove = 删除联系人
    .name = 名称

help-contacts-compare = 代表对方标识和你的标识的验证词：两边看到的相同才是本人
    .client = 名称、指纹或标识
    .qr = 同时画出对方标识的 QR 码

help-contacts-block = 不再与某人往来
    .client = 名称、指纹或标识

help-contacts-unblock = 重新接纳某人
    .client = 名称、指纹或标识

help-allow = 谁能用本节点提供的能力
    .after =
        例如：
          potluck allow                        谁能用什么
          potluck allow recognize contacts     `potluck contacts add` 加的人
          potluck allow chat alice 12D3KooW…   在已列出的人之外，再加上这些人
          potluck allow chat everyone          所有人
    .capability = 能力，例如 recognize
    .who = everyone、members（私有网成员）、contacts，或者名称、指纹、标识

help-deny = 把能力留给自己，或不再给某个列出的人
    .after =
        例如：
          potluck deny recognize          只有本节点能用
          potluck deny chat alice         不再给列出的人里的她
    .capability = 能力，例如 recognize
    .who = 列出的人里不再给谁

help-limit = 每个节点最多能用多少本节点提供的能力
    .after =
        例如：
          potluck limit                                    谁能用多少
          potluck limit recognize --at-once 8              同一节点再多的请求会得到“忙”
          potluck limit chat --per-minute 60 --at-once 4
          potluck limit facepp --per-day 20                再多的请求到第二天才接受
          potluck limit chat --per-minute none             不限
    .capability = 能力，例如 recognize
    .at_once = 一个节点同时能有几次请求；none 表示不限
    .per_minute = 一个节点每分钟能有几次请求；none 表示不限
    .per_day = 一个节点每天（UTC）能有几次请求；none 表示不限

help-completions = 输出命令和选项的补全脚本
    .after =
        给当前用户：
          bash：potluck completions bash > ~/.local/share/bash-completion/completions/potluck
          fish：potluck completions fish > ~/.config/fish/completions/potluck.fish
          zsh： potluck completions zsh > _potluck      放进 $fpath 里的文件夹
    .shell = 哪种 shell

help-man = 写出手册页，每个命令一页
    .folder = 写到哪个文件夹，例如 ~/.local/share/man/man1

help-mesh = 私有网：建立、邀请、加入、移出
    .after =
        例如：
          potluck mesh create lab          本节点建立一个只有受邀者能见的网
          potluck mesh invite              一行可粘贴的文字和一个二维码；限用一次，一天内有效
          potluck mesh join potluck-in…    在另一台电脑上：那一行
          potluck mesh members
          potluck mesh revoke alice        永久移出，处处生效
          potluck mesh export key.txt      离线保存创始密钥

help-mesh-create = 建立一个私有网；本节点是它的第一个管理员
    .name = 它的名称

help-mesh-invite = 生成邀请：粘贴它的人成为成员
    .uses = 可供几个节点使用
    .time = 有效多久：30m、24h、7d
    .again = 只给这个客户端 id，曾被移出的也可以（需要创始密钥）
    .at = 本节点可达的地址，如果与网络所说的不同；可以重复
    .no_qr = 不要二维码
    .take_back = 收回所有未用的邀请

help-mesh-join = 凭邀请成为成员
    .invite = 邀请，或用 - 从标准输入读取

help-mesh-members = 有哪些成员

help-mesh-revoke = 把某人移出，处处生效，永久有效
    .client = 对方的名称、指纹或客户端 id

help-mesh-admin = 让某人成为管理员：可以邀请和移出成员
    .client = 对方的名称、指纹或客户端 id

help-mesh-leave = 退出私有网
    .forget_key = 即使创始密钥在这里、会因此丢失

help-mesh-export = 把创始密钥写入文件，离线保存
    .file = 文件
    .remove = 只留在文件里：从这里删除

help-mesh-restore = 从文件取回创始密钥
    .file = 文件
