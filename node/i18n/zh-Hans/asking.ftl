# What screens that ask the mesh have in common: files, and why there is no answer.

asking-name-a-file = 输入路径
asking-path-hint = /home/mei/cat.jpg
asking-no-dialogs = 系统没有文件对话框，请在这里输入路径。
asking-browse = 浏览
asking-add = 添加
asking-save = 保存
asking-saved-as = 已保存为 { $path }
asking-unsaved = 无法写入 { $path }
asking-remove = 移除
asking-stop = 停止
asking-again = 重试
asking-clear = 清空
asking-pasted-picture = 粘贴的图片
asking-nothing-pasted = 剪贴板里没有文件或图片
asking-nothing-pasted-hint = 请复制一张图片，或在文件管理器里复制文件。有些系统不让程序读剪贴板，可以改为选择文件。
asking-by = { $who }·{ $time }
asking-bad-input = 处理的节点说这个文件有问题。
asking-nobody = 现在没有节点能做。在“提供”里打开，或换一台电脑打开。
asking-peer-failed = 处理的节点出错了，重试可能会换一个节点。
asking-refused = 对方没有允许你使用，请联系对方添加你。
asking-timed-out = 没有及时得到回答，节点可能正忙。
