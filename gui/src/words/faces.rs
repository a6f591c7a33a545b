//! The screen of faces.

use super::words;

words! {
    title = "Faces", "人脸";
    caption = "Finds faces and guesses gender and age. Nothing is stored.", "找出人脸，估计性别和年龄，不保存任何内容。";
    open = "Open a picture", "打开图片";
    choose = "Choose", "选择";
    drop_here = "Drop pictures here", "把图片拖到这里";
    empty = "See the faces on a picture", "看看图片里的人脸";
    empty_hint = "Drop a picture, choose it with Ctrl O, or paste it with Ctrl V. A node of this LAN looks at it; it does not leave the LAN unless you say so.", "拖入图片，按 Ctrl O 选择，或按 Ctrl V 粘贴。由局域网里的节点查看，除非你同意，图片不会离开局域网。";
    count(faces: usize) = "{faces} faces", "{faces} 张脸";
    one = "1 face", "1 张脸";
    none = "No face in the picture", "图片里没有人脸";
    none_hint = "Small, turned or covered faces are hard to find. A larger picture may help.", "太小、侧向或被遮住的脸不容易找到，可以换一张更大的图片。";
    no_face = "No face", "没有人脸";
    looking = "Looking for faces...", "正在找人脸……";
    waits = "Waits for the node of this computer", "等待本机节点";
    reading = "Reading the picture...", "正在读取图片……";
    failed = "No answer", "没有结果";
    not_a_picture = "Not a picture", "不是图片";
    face(number: usize) = "Face {number}", "第 {number} 张脸";
    sure(percent: &str) = "{percent}% sure", "可信度 {percent}%";
    gender = "Gender", "性别";
    age = "Age", "年龄";
    beauty = "Beauty", "颜值";
    male = "male", "男";
    female = "female", "女";
    male_short = "M", "男";
    female_short = "F", "女";
    about(years: &str) = "about {years}", "约 {years} 岁";
    unknown = "not told", "未知";
    only_facepp = "Face++ only", "仅 Face++";
    scores(women: &str, men: &str) = "{women} to women, {men} to men", "女性评分 {women}，男性评分 {men}";
    size(width: u32, height: u32) = "{width}×{height}", "{width}×{height}";
    boxes = "Boxes", "方框";
    labels = "Labels", "标签";
    save_copy = "Save annotated copy", "保存标注图";
    copy_name(stem: &str) = "{stem}-faces.jpg", "{stem}-faces.jpg";
    not_itself = "This is the picture itself. Choose another name.", "这就是原图，请换一个文件名。";
    opened = "Opened", "已打开";
    earlier = "The picture before", "上一张";
    later = "The next picture", "下一张";
    guesses = "Gender and age are guesses of a model.", "性别和年龄是模型的估计。";
    beauty_needs = "Beauty needs Face++", "颜值需要 Face++";
    beauty_hint(who: &str) = "Face++ is a service on the internet. The picture would leave this LAN through {who}, whose owner pays for it.", "Face++ 是互联网服务。图片会通过 {who} 离开局域网，费用由对方承担。";
    nobody_cloud = "Face++ is a service on the internet. Nobody here offers it to you now.", "Face++ 是互联网服务，现在没有节点向你提供。";
    send = "Send this picture to Face++", "把这张图片发给 Face++";
    by_cloud = "Face++ looked at this picture.", "这张图片由 Face++ 查看。";
    ask_title = "This picture would leave your network", "这张图片将离开你的网络";
    ask_text(name: &str, who: &str) = "{name} goes to Face++, a service on the internet, through {who}. Face++ may keep it. The owner of that node pays for the call.", "{name} 会通过 {who} 发给互联网服务 Face++。Face++ 可能保存它，费用由该节点的主人承担。";
    keep_here = "Keep it here", "留在本地";
    send_it = "Send it", "发送";
    another_size = "The answer is about a picture of another size. Whoever looked runs another version.", "回答里的图片尺寸不同，对方的版本可能不一样。";
    too_many(most: usize) = "At most {most} pictures at once", "一次最多 {most} 张图片";
    too_many_hint = "The others were not opened. Remove some first.", "其余的没有打开，请先移除一些。";
    route(hops: &str) = "Route: {hops}", "路由：{hops}";
}
