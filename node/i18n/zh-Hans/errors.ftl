# Errors. Their English is their Display, in the code.

## What the system says

errors-io-not-found = 没有这个文件或文件夹
errors-io-denied = 没有权限
errors-io-full = 磁盘已满
errors-io-read-only = 文件系统只读
errors-io-exists = 已经存在
errors-io-address-in-use = 地址已被占用
errors-io-refused = 连接被拒绝
errors-io-reset = 连接中断
errors-io-ends = 数据提前结束
errors-io-timed-out = 超时
errors-io-no-folder = 不是文件夹
errors-io-folder = 是文件夹

## Potluck itself

errors-internal = 内部错误：{ $why }

## Why a node does not start, or a program has none

errors-home-socket = 无法建立控制套接字：{ $why }
errors-home-lost = 数据文件夹没能打开：{ $why }
errors-start-temporary = 无法建立临时文件夹：{ $why }
errors-services-unknown = 没有能力 { $name }；本节点可以提供：{ $known }
errors-qr-too-long = { $bytes } 字节太长，QR 码最多容纳 { $most } 字节；请直接复制文字
errors-registry-twice = 能力 { $name } 注册了两次
errors-registry-name = 能力名称 { $name } 不是“名称/1”的形式
errors-data-no-home = 没有存放数据的主目录；请用 --data-dir 或 { $variable } 指定一个文件夹
errors-data-no-folder = 数据文件夹 { $path } 是文件而不是文件夹；删除它，或用 --data-dir 指定别的文件夹
errors-data-not-ours = 文件夹 { $path } 对这台电脑的其他用户开放，而且已有别的文件；用 --data-dir 指定一个新的或空的文件夹
errors-data-read-only = 数据文件夹 { $path } 无法写入（{ $why }）；修改它的权限，或用 --data-dir 指定别的文件夹
errors-data-full = 数据文件夹 { $path } 所在的磁盘已满（{ $why }）；腾出空间，或用 --data-dir 指定别的磁盘上的文件夹
errors-data-not-private = 文件夹 { $path } 无法设为私有（{ $why }）；让它只归你所有（chmod 700），或用 --data-dir 指定别的文件夹
errors-data-in-use = 数据文件夹 { $path } 正被 { $holder } 使用；停止那个程序，或用 --data-dir 指定别的文件夹
errors-data-io = 数据文件夹 { $path } 无法使用（{ $why }）；检查磁盘，或用 --data-dir 指定别的文件夹
errors-identity-corrupt = { $path } 里不是密钥（{ $why }）；放回它的副本，或删除它以换一个新的标识
errors-identity-unreadable = 密钥 { $path } 读不出来（{ $why }）；检查它是否属于你
errors-identity-unwritable = 新密钥无法存入 { $path }（{ $why }）；检查磁盘和权限
errors-config-unreadable = { $path }：设置读不出来：{ $why }；检查它是不是你有权读取的文本文件
errors-config-too-large = { $path }：超过 1 MiB，不是设置文件；把它移走再启动
errors-config-bad = { $path }：第 { $line } 行：{ $why }
errors-value-capability = “{ $text }”不是能力的名称（写 chat 这样的名称，或带版本的 chat/1）
errors-value-address = “{ $text }”不是地址：{ $why }（{ $fix }）
errors-value-mesh = “{ $text }”不是网的名称（1 到 32 个字符：a-z、0-9、“-”、“_”、“.”）
errors-value-name = “{ $text }”不能作节点的名称（1 到 64 个字符，不能换行）
errors-value-client-id = “{ $text }”不是标识（对方电脑上的 `potluck id` 会显示）
errors-value-allow = “{ $text }”没有指明任何人（写 "contacts"、"everyone"、"members"、"nobody" 或标识的列表）
errors-value-base = “{ $text }”不能作密钥的地址：{ $why }（写成 https://api-us.faceplusplus.com 这样）
errors-control-gone = 正在运行的节点断开了：{ $why }
errors-control-silent = 正在运行的节点没有回应；停止它再重新启动
errors-control-other-version = 那里运行的节点版本不同（{ $node }；本程序是 { $here }）；停止它，用本程序重新启动
errors-control-unexpected = 正在运行的节点的回应出乎意料（{ $why }）；重新启动它
errors-network-listen = 无法监听 { $address }：{ $why }
errors-network-no-external = 入口节点需要一个处处都能连到的地址：用 --external 给出，例如 --external /ip4/203.0.113.7/tcp/4001，或写在设置的 [network] 下的 external 里
errors-network-mdns = 无法用 mDNS 寻找节点：{ $why }。启动时加上 --no-mdns，并用 --join 给出地址
errors-network-transport = 无法建立加密连接：{ $why }
errors-network-advert = 无法签署本节点的公告：{ $why }

## Data between nodes

errors-blobs-disk = 数据无法保存：{ $why }
errors-blobs-no-room = 没有接收数据：{ $why }
errors-blobs-not-shared = 对方不再提供这份数据
errors-blobs-wrong = 收到的数据与声明的不符
errors-blobs-slow = 数据来得太慢：每秒至少要到 { $least } KiB
errors-blobs-broken = 取数据时连接中断：{ $why }
errors-room-budget = 本节点为别人保存的数据已到主人允许的上限（[services] disk_mib）
errors-room-disk = 本节点的磁盘快满了
errors-advert-malformed = 公告读不出来：{ $why }
errors-advert-key = 公告里的密钥不是公钥
errors-advert-wrong-id = 公告代表的节点与它的密钥不符
errors-advert-signature = 公告的签名不符
errors-advert-signing = 公告无法签署：{ $why }
errors-signed-malformed = 签名的记录读不出来：{ $why }
errors-signed-key = 签名记录的密钥读不出来
errors-signed-signer = 签署记录的节点与它代表的节点不符
errors-signed-signature = 记录的签名不符
errors-signed-signing = 记录无法签署：{ $why }
errors-malformed-decode = 报文无法解码：{ $why }
errors-malformed-encode = 报文无法编码：{ $why }
errors-malformed-too-large = 报文超过 { $max } 字节
errors-malformed-trailing = 报文后面还有多余的字节
errors-malformed-limit = { $what } 是 { $is }，最多允许 { $max }
errors-malformed-version = 不认识版本 { $version }；本节点用版本 1
errors-malformed-slow = 报文在 { $seconds } 秒内没有到齐

## Letters

errors-mail-nobody = 没有遇到过叫 { $name } 的人；`potluck contacts` 会列出遇到过的人，对方的节点出现过一次后，总可以用标识
errors-mail-several = 有几个人叫 { $name }：用指纹指明一个：{ $several }
errors-mail-myself = 那就是本节点
errors-mail-no-key = { $name } 不能收信：它的节点从未出现过，或者版本较旧；它至少要在网里出现一次
errors-mail-new-key = { $name } 换了一个从未用过的密封密钥。如果这是可能的，再发一次；否则请向对方核实
errors-mail-no-letter = 没有信 { $id }；`potluck inbox` 和 `potluck outbox` 会列出编号
errors-mail-ended = 它已经不在途中
errors-mail-under-way = 它还在途中，或已经送到
errors-mail-no-recipient = 它的收件人不是标识
errors-mail-trouble = 这封信不能用：{ $why }
errors-mail-disk = 信无法保存（{ $why }）；检查磁盘
errors-post-disk = 邮件文件夹无法使用（{ $why }）；检查磁盘
errors-store-damaged = 邮件记录 { $path } 已损坏（{ $why }）；把那个文件移走：别人还保管着的信会再来
errors-store-newer = 邮件记录 { $path } 是更新的版本写的；请用那个版本
errors-store-disk = 邮件无法保存（{ $why }）；检查磁盘
errors-store-in-use = 另一个程序正在用这个数据文件夹里的邮件
errors-keys-corrupt = { $path } 里不是密封密钥（第 { $line } 行）；放回它的副本，或删除它：那样的话正在寄给你的信就丢了
errors-keys-disk = 密封密钥 { $path } 无法使用（{ $why }）；检查磁盘，以及它是否属于你
errors-seal-empty = 没有要发送的内容：给出文字或文件
errors-seal-long-text = 文字有 { $bytes } 字节，最多 { $most } 字节：请作为文件发送
errors-seal-unreadable = { $path } 读不出来：{ $why }
errors-seal-odd = { $path } 既不是文件也不是文件夹
errors-seal-changed = { $path } 在读取时变了；等没有程序写它时再发一次
errors-seal-too-much = { $path } 里的文件太多或太深（最多 { $most } 个，{ $deep } 层）；先打包成一个文件
errors-seal-key = 收件人的密封密钥不能用；对方的版本可能不同
errors-seal-disk = 信无法写入（{ $why }）；检查磁盘
errors-unpack-disk = { $path } 无法写入（{ $why }）；检查磁盘和文件夹
errors-open-key = 它密封给一个本节点（已经）没有的密钥
errors-open-damaged = 它已损坏
errors-open-odd = 里面的内容读不出来：{ $why }
errors-open-forged = 它不是发件人写给这个收件人的：有人重新密封过
errors-open-disk = 它在本机打不开：{ $why }
errors-no-letter-id = 那不是信的编号：编号有 32 位，由 0 到 9 和 a 到 f 组成

## Pictures, models and engines

errors-picture-empty = 文件是空的
errors-picture-none = 这不是图片（支持 JPEG、PNG、WebP、BMP、GIF 和 TIFF）
errors-picture-unsupported = 不支持这种图片：{ $what }；请另存为 JPEG 或 PNG
errors-picture-truncated = 图片不完整：缺少文件的末尾
errors-picture-too-large = { $width ->
        [0] 图片太大：最多 { $most } 百万像素
       *[other] 图片太大：{ $width } x { $height } 像素，最多 { $most } 百万像素
    }
errors-picture-too-many-bytes = 文件太大：{ $bytes } 字节，最多 { $most } MiB
errors-picture-too-much-memory = 图片对这台电脑来说太大：解码要 { $needed } MB 内存，一张图片最多给 { $most } MB；把它缩小，或请内存更大的电脑来做
errors-picture-given-up = 图片在等内存时被放弃
errors-picture-damaged = 图片已损坏：{ $why }
errors-model-unknown = 没有模型“{ $name }”；现有：{ $known }
errors-model-bad-name = 这个名称不能用：{ $why }
errors-model-taken = 已有模型“{ $name }”；换一个名称，或先删除 { $place }
errors-model-needs-manifest = 这里不认识模型“{ $name }”，所以要给出它的清单（不需要清单的有：{ $presets }）
errors-model-manifest = 清单 { $file } 不能用：{ $why }
errors-model-not-onnx = “{ $name }”不是能加载的 ONNX 模型：{ $why }
errors-model-wrong-shape = 模型“{ $name }”与清单不符：{ $why }
errors-model-untrue = 模型“{ $name }”做的和清单说的不一样：{ $why }
errors-model-other-file = { $file } 不是“{ $name }”的清单所指的文件（它的 SHA-256 是 { $found }，清单里的是 { $named }）；如果信任它，请自己给出清单
errors-model-bundled = “{ $name }”是自带的，不能删除
errors-model-wrong-labels = 模型“{ $name }”对一张图片给出 { $outputs } 个数，而标签有 { $labels } 个
errors-model-wrong-task = 模型“{ $name }”不是做这个的：`potluck models list` 会列出每个模型的用途
errors-model-changed = { $file } 不是清单描述的文件（它的 SHA-256 是 { $found }）；请重新添加模型
errors-model-no-folder = 没有数据文件夹，不能添加模型
errors-model-io = { $path }：{ $why }
errors-model-run = 模型“{ $name }”出错：{ $why }
errors-engine-not-found = 没有找到 ONNX Runtime 1.{ $minimum } 或更新的版本。运行 `potluck engine install`，或把引擎设为 `auto`。找过：{ $searched }
errors-install-no-package = 没有适合这个系统（{ $system }）的 ONNX Runtime 包。请自己安装 ONNX Runtime，并把 ORT_DYLIB_PATH 设为它的库；没有它也能识别，只是慢一些
errors-install-no-client = ONNX Runtime 安装失败：{ $tried }。安装带 pip 的 Python（https://www.python.org）或带 npm 的 Node.js（https://nodejs.org），检查网络后再试；或者把 ORT_DYLIB_PATH 设为你已有的库。没有它也能识别，只是慢一些
errors-install-io = { $path }：{ $why }
errors-batch-stopped = 识别已停止；请重新启动节点
errors-batch-no-thread = 无法为识别启动线程：{ $why }

## Services

errors-analysis-io = { $what }：{ $why }
errors-analysis-cancelled = 分析已取消
errors-rules-unreadable = { $file }：聊天规则读不出来（{ $why }）；检查它是不是你有权读取的文本文件
errors-rules-too-large = { $file }：超过 1 MiB；把机器人不需要的内容分出去
errors-rules-bad = { $file }：第 { $line } 行：{ $why }
errors-facepp-used-up = 节点主人每天允许的 { $daily_calls } 次 Face++ 请求已用完；下一次要到 { $renews }（UTC）
errors-facepp-count = Face++ 请求的计数无法存入 { $path }（{ $why }）；检查磁盘，或删除那个文件从 0 开始
errors-facepp-key-half = 设置了 { $is }，却没有设置 { $is_not }；两个都设，或都不设而写入 { $file }
errors-facepp-key-variable = { $name } 里不是 Face++ 密钥（一个不含空格的词）
errors-facepp-key-open = 这台电脑的其他用户也能读 { $path }（权限 { $mode }）；请运行：chmod 600 { $path }
errors-facepp-key-unreadable = { $path } 读不出来（{ $why }）；检查它是否属于你
errors-facepp-key-malformed = { $path } 里不是 Face++ 密钥；第一行写 API Key，第二行写 API Secret
errors-facepp-too-small = 图片有 { $width } x { $height } 像素；Face++ 至少要 { $least } 像素才能找出人脸，请发大一些的
errors-facepp-too-thin = 图片对 Face++ 来说太细长（{ $width } x { $height } 像素）；请截取有人脸的部分
errors-facepp-encode = 图片无法缩小到 Face++ 能接受的大小；请发小一些的
errors-facepp-missing-arguments = Face++ 说请求缺少一部分（{ $what }）；本节点与 API 不匹配
errors-facepp-bad-arguments = Face++ 用这个密钥不接受这个参数：{ $what }；请换别的属性
errors-facepp-coexistence = 发给 Face++ 的参数互相冲突；本节点与 API 不匹配
errors-facepp-format = Face++ 读不了这张图片；请另存为 JPEG 或 PNG 再试
errors-facepp-image-size = Face++ 不接受这个尺寸的图片；每边 48 到 4096 像素
errors-facepp-image-url = 发给 Face++ 的是图片的地址；本节点与 API 不匹配
errors-facepp-image-too-large = Face++ 说图片的字节太多；请发小一些的
errors-facepp-authentication = Face++ 不认识本节点的密钥；主人应检查 key、secret 和 `base` 里的区域
errors-facepp-denied = Face++ 拒绝了本节点的密钥（{ $why }）；主人应查看 Face++ 控制台
errors-facepp-no-balance = 本节点的 Face++ 账户余额不足；主人应充值
errors-facepp-concurrency = Face++ 正忙于同一密钥的其他请求；稍后再试
errors-facepp-permission = 本节点的 Face++ 密钥不能做这个（{ $why }）；请减少要求，或换一个节点
errors-facepp-no-api = 本节点设置的地址上没有 Face++ API；主人应检查 `base`
errors-facepp-download = Face++ 没有及时收到图片；请再试一次
errors-facepp-internal = Face++ 内部错误（状态 { $status }）；稍后再试
errors-facepp-unknown = Face++ 返回未知的错误（状态 { $status }）：{ $message }
errors-facepp-redirect = Face++ 的地址转向了别处（状态 { $status }）；节点主人应检查 `base`
errors-facepp-unreachable = 本节点连不上 Face++：{ $why }
errors-facepp-broken = 与 Face++ 的连接中断：{ $why }
errors-facepp-timeout = Face++ 在 { $seconds } 秒内没有回应
errors-facepp-answer-too-large = Face++ 的回应太大，没有读取
errors-facepp-nonsense = 看不懂 Face++ 的回应：{ $why }
errors-control-refused = 正在运行的节点说：{ $why }
errors-edit-disk = 设置写不进去：{ $why }
errors-edit-unreadable = config.toml：{ $why }
errors-mail-with-keepers = 保管节点已经有它，会尽快送到；只能撤回
errors-mail-unended = 它还在途中：先撤回
errors-mail-many-rest = 暂停的信件已经太多

errors-mesh-invite-needs-node = 本节点不运行时没人能用邀请：先运行 `potluck up`，或用 --at 说明它将在哪里
errors-mesh-already = 本节点已属于私有网 { $name }；请先退出：`potluck mesh leave`
errors-mesh-none = 本节点不属于任何私有网；用 `potluck mesh create 名称` 建一个，或用 `potluck mesh join 邀请` 加入一个
errors-mesh-no-admin = 只有私有网的管理员才能这样做，而本节点不是
errors-mesh-founder-only = 这需要私有网的创始密钥，而它不在这里；请在存有它的节点上操作，或运行 `potluck mesh restore 文件`
errors-mesh-oneself = 那就是本节点；要退出私有网，用 `potluck mesh leave`
errors-mesh-already-out = 对方早已被移出私有网
errors-mesh-already-admin = 对方已经是管理员
errors-mesh-key-here = 私有网的创始密钥在这里；先用 `potluck mesh export 文件` 保存它，再带 --forget-key 退出
errors-mesh-too-many = 已有 { $count } 个未用的邀请；用 `potluck mesh invite --take-back` 收回
errors-mesh-no-key = { $file } 里没有创始密钥；这种文件由 `potluck mesh export` 写出
errors-mesh-other-mesh = 这把创始密钥属于另一个私有网，不是本节点所在的
errors-mesh-exists = { $file } 已存在；请另取一个文件名
errors-mesh-corrupt = 私有网的文件 { $path } 无法读取（{ $why }）；请放回它的副本，或删除所在文件夹后凭新邀请重新加入
errors-mesh-other-identity = 数据文件夹里的证书属于另一个节点：身份换过了。请退出私有网（`potluck mesh leave`），再凭新邀请加入
errors-mesh-disk = 私有网的文件无法使用（{ $why }）；请检查磁盘和权限
errors-invite-prefix = 这不是邀请：邀请以 { $prefix } 开头，由 `potluck mesh invite` 生成
errors-invite-broken = 邀请没有复制完整：请从 { $prefix } 一直复制到末尾
errors-invite-version = 邀请来自更新版本的 Potluck（邀请版本 { $version }）；请更新本程序
errors-member-proof = 它的证书不可信：{ $why }
errors-member-not-theirs = 它的证书是别人的
errors-member-expired = 它的证书已过期
errors-member-removed = 它已被移出私有网
errors-member-admin-removed = 为它签名的管理员已被移出私有网
errors-proof-mesh = 属于另一个私有网
errors-proof-issuer = 签名者无权签署
errors-refusal-token = 邀请已被用掉、已过期或已收回；请再要一个
errors-refusal-removed = 本节点已被移出私有网；创始人可以让它回来：`potluck mesh invite --again` 加上本节点的客户端 id
errors-refusal-no-admin = 被询问的节点（已）不是私有网的管理员；请向管理员要邀请
errors-refusal-disk = 被询问的节点无法写盘；请稍后再试
errors-errand-unreached = 连不上管理员的节点（{ $why }）；请确认它在运行、本机与它在同一网络；若它的地址变了，请要一个新邀请
errors-errand-no-answer = 管理员的节点（已）不为这个私有网应答；请要一个新邀请
