//! What the people of the demo write to each other.

use super::words;

words! {
    question = "Is there a face on this picture? My computer cannot tell.", "这张图片里有人脸吗？我的电脑看不出来。";
    answer = "One. Look yourself: open Faces and press \"Try the sample\". My computer does the work, the picture stays on this LAN. The answers of our class are attached: drop the table on Analyze.", "有一张。你自己看看：打开“人脸”，点“试试示例”。由我的电脑来做，图片不会离开局域网。附上我们班的问卷结果，把表格拖到“分析”里就行。";
    stranger = "Hello! I have a good graphics card. Send me your pictures on Recognize, as many as you like.", "你好！我的显卡不错，在“识图”里把图片发给我吧，多少张都行。";
}
