# What commands print.

## Help and wrong usage: in English clap says it

cli-help-commands = 命令
cli-help-options = 选项
cli-help-arguments = 参数
cli-help-common = 所有命令都有的选项
cli-help-usage = 用法：
cli-help-help = 显示帮助
cli-help-version = 显示版本
cli-help-template =
    {"{about-with-newline}"}
    用法：{"{usage}"}

    {"{all-args}{after-help}"}
cli-help-default = {" "}[默认：{ $value }]
cli-help-variable = {" "}[环境变量：{ $name }]
cli-usage-unknown = 错误：不认识参数 { $arg }
cli-usage-no-command = 错误：没有命令 { $name }
cli-usage-missing = 错误：缺少 { $args }
cli-usage-conflict = 错误：{ $arg } 不能和 { $other } 一起用
cli-usage-no-value = 错误：{ $arg } 需要一个值
cli-usage-value = 错误：{ $arg } 的值 { $value } 不对：{ $why }
cli-usage-suggested = 是不是 { $text }？
cli-usage-more = 更多信息请用 --help。

## up

cli-stopped = 已停止
cli-up = { $name }（{ $id }）已启动
cli-up-id = 标识  { $id }
cli-up-offers = 提供  { $what }，在 { $device } 上
cli-up-offers-rate = 提供  { $what }，在 { $device } 上，每秒 { $rate } 次
cli-up-with = { $capability }，用 { $engine }
cli-up-nothing = 提供  无
cli-up-cannot = 无法提供 { $capability }：{ $why }
cli-up-listens = 监听  { $address }
cli-up-stop = 按 Ctrl-C 停止。
cli-came = + { $name }（{ $id }）来了
cli-went = - { $name }（{ $id }）{ $why }
cli-clone = ! 另一个节点用了本节点的身份。在其中一台的数据文件夹里删除 identity.key，再启动
cli-clone-at = ! { $address } 上的另一个节点用了本节点的身份。在其中一台的数据文件夹里删除 identity.key，再启动

## peers, capabilities, id

cli-nobody = 这里没有别的节点。`potluck doctor` 会说明原因
cli-head-name = 名称
cli-head-id = 标识
cli-head-connected = 连接
cli-head-round-trip = 往返
cli-head-offers = 提供
cli-not-answering = 没有回应
cli-yes = 是
cli-no = 否
cli-on-demand = 需要时连接
cli-through-entry = 经入口节点
cli-ms = { $time } 毫秒
cli-nobody-offers = 这里没有节点提供能力
cli-head-capability = 能力
cli-head-node = 节点
cli-head-device = 设备
cli-head-engine = 引擎
cli-head-speed = 速度
cli-head-queue = 排队
cli-head-models = 模型
cli-this-node = { $name }（本节点）
cli-per-second = { $rate }/秒
cli-running = 正在运行
cli-not-running = 没有运行；用 `potluck up` 启动
cli-id =
    { $id }
    {"  "}名称        { $name }
    {"  "}指纹        { $fingerprint }
    {"  "}验证词      { $words }
    {"  "}数据文件夹  { $folder }
    {"  "}节点        { $running }

## recognize, faces

cli-recognized = 由 { $name } 识别，{ $time } 毫秒（{ $model }，{ $engine }，{ $device }）
cli-not-recognized = 没有识别：{ $why }
cli-not-looked-at = 没有识别：{ $why }
cli-no-face = 图中没有人脸
cli-faces-by = 由 { $name } 识别，{ $time } 毫秒
cli-faces-cloud = 由 { $name } 通过 Face++ 识别，{ $time } 毫秒
cli-annotated = 标注图：{ $path }
cli-not-annotated = 没有标注图：{ $why }
cli-male = 男
cli-female = 女
cli-sure = { $what } ({ $percent } %)
cli-about-years = 约 { $years } 岁
cli-beauty = 颜值：男性看 { $men }，女性看 { $women }
cli-face-at = 位置 { $x },{ $y }，大小 { $width }x{ $height }
cli-comma = ，
cli-smiling = 微笑
cli-not-smiling = 没有微笑
cli-glasses = 戴眼镜
cli-sunglasses = 戴墨镜
cli-mood = { $name ->
        [anger] 愤怒
        [disgust] 厌恶
        [fear] 恐惧
        [happiness] 高兴
        [neutral] 平静
        [sadness] 悲伤
        [surprise] 惊讶
       *[other] 表情不明
    }

## analyze, table, call

cli-analyzed = { $rows } 行，{ $columns } 列；由 { $name } 分析，{ $time } 毫秒
cli-more-alerts = …… 另有 { $more } 条，见报告
cli-charts-in = { $charts } 张图表和各项数字在 { $folder }
cli-open-page = 请打开 { $page }
cli-table = { $path }：{ $rows } 行，{ $columns } 列
cli-compared = 先 { $first } 行，后 { $second } 行；两者都有的 { $columns } 列，其中 { $changed } 列类型不同
cli-reading = 正在读取
cli-bytes-in = { $bytes } 字节，在 { $path }
cli-bytes-with = 附带 { $bytes } 字节数据：用 -o 文件 保存
cli-no-data = 没有附带数据

## send, inbox, outbox, contacts

cli-sealing = 正在密封
cli-sending = 正在发送
cli-deleted = 已删除
cli-taken-back = 已撤回
cli-rests = 已暂停
cli-rests-until = 已暂停（用 --resume { $id } 继续）
cli-goes-on = 继续
cli-no-files = 这封信里没有文件
cli-nothing-sent = 还没有寄过信；用 `potluck send` 寄信
cli-no-letters = 没有信
cli-nobody-met = 还没遇到别人
cli-head-to = 收件人
cli-head-from = 发件人
cli-head-letter = 编号
cli-head-written = 写于
cli-head-state = 状态
cli-head-what = 内容
cli-head-fingerprint = 指纹
cli-head-letters = 收信
cli-head-last-seen = 上次出现
cli-head-client-id = 标识
cli-new-key = 新密钥
cli-of = { $part } / { $whole }
cli-arriving = 正在接收
cli-not-believed = 不可信
cli-new-stranger = 新，来自陌生人
cli-new = 新
cli-being-opened = （正在打开）
cli-letter-came = { $from } 的信 { $id }：{ $what }
cli-letter-came-stranger = 陌生人 { $from } 的信 { $id }：{ $what }
cli-letter-not-believed = { $from } 的信 { $id } 不可信：{ $what }
cli-you-to = 你发给 { $name }
cli-letter-from = 来自 { $name }（{ $id }），{ $time }
cli-letter-trouble = 这封信不可信：{ $why }
cli-letter-stranger = 你没有给这个人写过信。
cli-folder = 文件夹
cli-bytes = { $bytes } 字节
cli-listed = { $path }（{ $size }）
cli-and-more = 另有 { $more } 个
cli-how-to-save = 用 `potluck inbox { $id } --save 文件夹` 保存文件
cli-delivered-to = 已送达 { $name }
cli-held-away = { $name } 不在；由 { $keepers } 代存
cli-waits-why = 它在你的发件箱里等待，需要 `potluck up` 一直运行；{ $why }
cli-waits = { $name } 不在，也没有别的节点代存：它在你的发件箱里等待，需要 `potluck up` 一直运行
cli-going-out = 正在发送，{ $part } / { $whole }
cli-queued = 待发送
cli-queued-why = 待发送（{ $why }）
cli-held-by = 由 { $keepers } 代存
cli-delivered = 已送达
cli-read = 已读
cli-refused = 被拒绝（--resend { $id }）
cli-refused-why = 被拒绝：{ $why }（--resend { $id }）
cli-expired = 已过期（--resend { $id }）
cli-expired-why = 已过期：{ $why }（--resend { $id }）
cli-files = { $count } 个文件

## models, engine, doctor

cli-head-for = 用途
cli-head-size = 大小
cli-head-licence = 许可
cli-head-source = 来源
cli-default = { $name }（默认）
cli-for-faces = 人脸
cli-for-recognize = 识图
cli-trying = 正在试用模型
cli-removed = 已删除 { $name }；正在运行的节点在重新启动前仍会用它
cli-use-faces = 使用方法：在 config.toml 里写 [faces] model = "{ $name }"
cli-use-recognize = 使用方法：potluck recognize --model { $name } 图片
cli-added = 已添加 { $name }（{ $size }）。{ $how }
cli-engine = { $engine }，在 { $device } 上，{ $threads } 个线程
cli-engine-from = 来自 { $path }
cli-engine-looked = 找过 { $place }：{ $result }
cli-engine-install = 用 `potluck engine install` 安装 ONNX Runtime，速度快四到五倍
cli-engine-at = ONNX Runtime { $version } 在 { $path }。节点从下次启动起使用它
cli-looking = 正在查看
cli-ok = 正常
cli-hint = 提示

## --explain

cli-route-none = 路由：没有试过任何节点
cli-route = 路由 { $number }：{ $name }（预计 { $expected } 毫秒）{ $outcome }，用时 { $time } 毫秒
cli-route-hedge = 路由 { $number }：{ $name }（预计 { $expected } 毫秒，又问的一个）{ $outcome }，用时 { $time } 毫秒
cli-outcome = { $outcome ->
        [running] 进行中
        [answered] 已回答
        [busy] 忙
        [refused] 拒绝
        [failed] 失败
        [lost] 失联
        [cancelled] 已取消
       *[other] { $outcome }
    }
cli-colon = ：

## demo

cli-demo-start = 本机启动三个节点：mei 提问，gpu-box 和 laptop 会识图，laptop 还会找人脸、分析表格、代存信件。
cli-demo-chat = 聊天机器人会回答，不懂的话原样返回：
cli-demo-face = laptop 找人脸，并估计性别和年龄：
cli-demo-table = laptop 把一个表格变成带图表和词云的报告：
cli-demo-pictures = mei 没有模型，由 gpu-box 替她识图：
cli-demo-again = 再来一次，许多张同时进行。中途 laptop 也开始提供识图，而 gpu-box 被关掉：
cli-demo-done =
    每张图片都有结果。gpu-box 停掉时，{ $all } 张中有 { $moved } 张转给了 laptop。
    现在在每台电脑上启动一个节点：  potluck up
cli-demo-by = （由 { $name }）
cli-demo-by-in = （由 { $name }，{ $time } 毫秒）
cli-demo-report = { $table }：{ $rows } 行，{ $columns } 列，{ $charts } 张图表（由 { $name }，{ $time } 毫秒）
cli-demo-letter = ben 给 ann 写信，ann 的电脑关着：
cli-demo-held = 已密封，由 { $keeper } 代存，它看不到内容。现在 ben 离开，ann 回来：
cli-demo-came = 来自 { $name }：{ $text }（附 { $file }，{ $bytes } 字节）
cli-head-picture = 图片
cli-head-shows = 内容
cli-head-sure = 把握
cli-head-served-by = 处理者
cli-head-tried = 先前试过
cli-head-time = 用时
cli-tried = { $name }（{ $outcome }）
cli-contact-added = { $id } 是联系人了
cli-contact-renamed = 已改名
cli-words-of = { $name }
cli-words-of-you = 你
cli-compare = 在认得出对方声音或面孔的场合，互相念出自己的验证词。两边看到的相同，就是本人；
    不同，就是别人。
cli-contact-removed = 不再是联系人
cli-blocked = 已屏蔽：不让对方的节点连接，不收对方的信件
cli-unblocked = 已解除屏蔽
cli-blocked-are = 已屏蔽：{ $names }
cli-head-who = 谁能用
cli-everyone = 所有人
cli-nobody-else = 仅本节点
cli-contacts-may = 联系人（{ $count } 位）
cli-head-each = 每个节点
cli-at-once = 同时 { $most } 次
cli-per-minute = 每分钟 { $most } 次
cli-per-day = 每天 { $most } 次
cli-no-limit = 不限
cli-man-pages = 手册页在 { $folder }

## mesh

cli-mesh-created =
    私有网 { $name } 建好了，本节点是它的第一个管理员。{ $then }
    用 `potluck mesh invite` 邀请别人；用 `potluck mesh export 文件` 把创始密钥离线保存。
cli-mesh-joined = 本节点现在是私有网 { $name } 的成员。{ $then }
cli-mesh-entered = 这里运行的节点正在进入。
cli-mesh-enters = `potluck up` 会进入它。
cli-mesh-revoked =
    { $who } 已被永久移出；与它相连的节点都会断开{ $stay ->
        [0] 。
       *[other] 。由它签名的 { $stay } 个成员留下。
    }
cli-mesh-promoted = { $who } 现在是管理员；它的节点会从别人那里得知
cli-mesh-left = 本节点已退出私有网 { $name }，回到公开网
cli-mesh-key-kept = 创始密钥已写入 { $file }，这里也还有
cli-mesh-key-moved = 创始密钥只在 { $file } 里了：不要弄丢
cli-mesh-restored = { $name } 的创始密钥回来了，本节点是管理员
cli-mesh-open = 公开网 { $name }：同一网络里的任何节点
cli-mesh-private =
    私有网 { $name }：{ $count } 个成员
    { $what }
    标识  { $id }
cli-mesh-as-founder = 本节点存有创始密钥。
cli-mesh-as-admin = 本节点是管理员。
cli-mesh-as-member = 本节点是成员。
cli-mesh-taken-back = { $count ->
        [0] 没有未用的邀请
       *[other] 收回了 { $count } 个邀请
    }
cli-mesh-invite =
    在另一台电脑上：  potluck mesh join '上面那一行'
    可供 { $uses } 个节点使用，有效到 { $until }，且本节点须在运行。看到它的人都能用它。
cli-mesh-me = 本节点
cli-members-may = 私有网的成员
cli-head-role = 角色
cli-head-seen = 上次见到
cli-role-admin = 管理员
cli-role-member = 成员
cli-role-revoked = 已移出
cli-up-moved = 本节点换了网，正在重新启动
