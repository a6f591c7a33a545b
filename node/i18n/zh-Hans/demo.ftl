# What the people of the demo write to each other.

demo-question = 这张图片里有人脸吗？我的电脑看不出来。
demo-answer = 有一张。你自己看看：打开“人脸”，点“试试示例”。由我的电脑来做，图片不会离开局域网。附上我们班的问卷结果，把表格拖到“分析”里就行。
demo-stranger = 你好！我的显卡不错，在“识图”里把图片发给我吧，多少张都行。
