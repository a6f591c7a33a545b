# The screens of things and of text on pictures.

marked-things-title = 物体
marked-things-caption = 找出图片里有什么、在哪里，共 80 种。图片不离开局域网。
marked-things-empty = 看看图片里有什么、在哪里
marked-things-empty-hint = 拖入图片，按 Ctrl O 选择，或按 Ctrl V 粘贴。由局域网里的节点找出人、动物、车辆、家具、食物等。
marked-things-looking = 正在找物体……
marked-things-count = { $things } 个物体
marked-things-one = 1 个物体
marked-things-none = 没有认识的东西
marked-things-none-hint = 能认出 80 种：人、动物、车辆、家具、食物等。太小的不容易找到，可以换一张更大的图片。
marked-things-guesses = 名称是模型的估计。
marked-things-copy-name = { $stem }-things.jpg
marked-text-title = 文字
marked-text-caption = 读出图片里的文字，中文和英文。图片不离开局域网。
marked-text-empty = 读出图片里的文字
marked-text-empty-hint = 拖入拍下的书页或截图，按 Ctrl O 选择，或按 Ctrl V 粘贴。由局域网里的节点读出，文字可以复制。
marked-text-looking = 正在读文字……
marked-text-count = { $lines } 行
marked-text-one = 1 行
marked-text-none = 图片里没有文字
marked-text-none-hint = 太小、模糊或手写的字不容易读，可以换一张更清楚的图片。
marked-text-guesses = 由模型读出，重要内容请核对。
marked-text-copy-name = { $stem }-text.jpg
marked-copy-line = 复制这一行
