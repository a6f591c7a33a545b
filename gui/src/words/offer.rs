//! What this node does for others.

use super::words;

words! {
    title = "Offer", "提供";
    caption = "What this computer does for others. Off means off, at once.", "本机为别人做的事。关掉立即生效。";
    capability = "Capability", "能力";
    everyone = "Everyone here", "所有人";
    contacts = "Contacts", "联系人";
    listed(count: usize) = "{count} people", "{count} 人";
    at_once(slots: u16) = "{slots} at once", "同时 {slots} 个";
    about_recognize = "Names what is on pictures", "说出图片里是什么";
    about_faces = "Finds faces, guesses gender and age", "找出人脸，估计性别和年龄";
    about_analyze = "Turns tables into reports", "把表格变成报告";
    about_chat = "Answers by rules", "按规则回答";
    about_facepp = "Asks Face++ on the internet, with your key", "用你的密钥请求互联网上的 Face++";
    on_device(engine: &str, device: &str) = "{engine}·{device}", "{engine}·{device}";
    off = "Off", "已关闭";
    getting_ready = "Not ready: it loads, or comes with the next start", "未就绪：正在加载，或下次启动后提供";
    daily(calls: u32) = "{calls} calls a day at most", "每天最多 {calls} 次";
    pending = "Who may use it and the room for mail hold from the next start.", "使用范围和代收空间下次启动后生效。";
    restart = "Restart now", "立即重启";
    keep = "Keep mail for people who are off", "为离线的人代收";
    keep_hint = "Sealed. You cannot read it.", "已密封，你看不到内容。";
    room = "Room", "空间";
    room_hint = "One sender has at most a quarter of it. It is taken from the disk only as mail comes.", "每个发件人最多占四分之一。收到邮件才会占用磁盘。";
    less = "Less room", "减少空间";
    more = "More room", "增加空间";
    key = "Face++ key", "Face++ 密钥";
    key_hint = "In a file that only you can read (mode 0600). It never leaves this computer but to Face++.", "保存在只有你能读的文件里（权限 0600），只会发给 Face++。";
    key_none = "No key", "没有密钥";
    key_none_hint = "With a key of your own, this computer can ask Face++ about beauty and emotion too. Without one, faces are found here.", "有自己的密钥，本机就能请 Face++ 判断颜值和表情。没有也能在本地找人脸。";
    key_there = "Kept", "已保存";
    key_works = "Works", "可用";
    key_wrong = "See to it", "要处理";
    key_environment = "From the environment (POTLUCK_FACEPP_KEY). It is changed there.", "来自环境变量（POTLUCK_FACEPP_KEY），请在那里修改。";
    api_key = "API key", "API Key";
    api_secret = "API secret", "API Secret";
    not_key = "One word of letters and digits, as Face++ shows it.", "一串字母和数字，照 Face++ 显示的填写。";
    add_key = "Add a key", "添加密钥";
    replace = "Replace", "更换";
    remove = "Remove", "删除";
    remove_title = "Remove the key?", "删除密钥？";
    remove_text = "The file with the key is deleted, and Face++ is not offered any more.", "密钥文件会被删除，也不再提供 Face++。";
    keep_it = "Keep it", "保留";
    save = "Save", "保存";
    cancel = "Cancel", "取消";
    engine = "Engine and models", "引擎和模型";
    engine_none = "No model is loaded now.", "现在没有加载模型。";
    engine_slow = "The built-in engine is used. ONNX Runtime is four to five times faster; this command brings it:", "正在使用内置引擎。ONNX Runtime 快四到五倍，用这条命令安装：";
    in_use = "In use", "使用中";
    ready = "Ready", "可用";
    not_changed = "That could not be changed", "没有改成";
    close = "Close", "关闭";
}
