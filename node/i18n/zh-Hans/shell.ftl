# The frame: sidebar, messages, the command line.

shell-potluck = Potluck
shell-ask-the-mesh = 请大家帮忙
shell-this-computer = 本机
shell-alone = 还没有别的节点
shell-open-mesh = 开放网·{ $nodes } 个节点
shell-private-mesh = { $name }·{ $nodes } 个节点
shell-starting = 正在启动……
shell-not-running = 没有运行
shell-starting-long = 正在启动本机的节点。
shell-cannot-start = 节点无法启动
shell-try-again = 重试
shell-node-gone = 这个数据文件夹里的节点已停止。
shell-clone-here = 另一台电脑用了本机的身份，消息可能会送到任何一台。
shell-close = 关闭
shell-back = 返回
shell-copy = 复制
shell-copied = 已复制
shell-copy-details = 复制详情
shell-settings-unsaved = 设置无法保存：{ $why }
shell-settings-unread = 窗口的设置读不出来，已恢复默认：{ $why }
