//! The screen of the settings.

use super::words;

words! {
    title = "Settings", "设置";
    caption = "Kept in files you can read. Nothing is sent anywhere.", "保存在你看得懂的文件里，不会上传。";
    saved = "Saved", "已保存";
    you = "You", "你";
    name = "Name", "名称";
    name_hint = "What others see", "别人看到的名字";
    your_id = "Your id", "你的标识";
    your_id_hint = "Compare it when it matters", "重要时请当面核对";
    receipts = "Tell people when I have read", "发送已读回执";
    receipts_hint = "They see \"Read\" with the time", "对方会看到“已读”和时间";
    look = "Look", "外观";
    language = "Language", "语言";
    english = "English", "English";
    chinese = "简体中文", "简体中文";
    system = "System", "跟随系统";
    theme = "Theme", "主题";
    light = "Light", "浅色";
    dark = "Dark", "深色";
    text_size = "Text size", "文字大小";
    text_size_hint = "Everything grows with it", "界面会一起放大";
    motion = "Motion", "动画";
    motion_hint = "Short fades and moves", "短暂的淡入和移动";
    notices = "Notices", "通知";
    new_mail = "New mail", "新消息";
    strangers = "Requests from strangers", "陌生人的请求";
    this_computer = "This computer", "本机";
    data_folder = "Data folder", "数据文件夹";
    downloads = "Save received files in", "收到的文件存到";
    pick_downloads = "Choose the folder", "选择文件夹";
    usual_downloads = "Back to the usual folder", "恢复默认文件夹";
    start = "Open when I log in", "登录时自动打开";
    start_hint = "The window, and with it the node", "打开窗口，节点随之启动";
    node_here = "This window runs the node", "节点由本窗口运行";
    node_here_hint = "It stops when the window closes. \"potluck up\" runs one without a window.", "关闭窗口后节点停止。用 potluck up 可不开窗口运行。";
    node_there = "The node runs by itself", "节点独立运行";
    node_there_hint = "It goes on when the window closes.", "关闭窗口后它继续运行。";
    mesh = "Mesh", "所在的网";
    kind = "Kind", "类型";
    kind_hint = "Anyone on this LAN", "局域网内任何人";
    open = "Open", "开放网";
    your_address = "Your address", "本机地址";
    your_address_hint = "For others who cannot find you", "给找不到你的人";
    no_address = "Not listening", "没有监听";
    mdns = "Find others by mDNS", "用 mDNS 寻找节点";
    mdns_hint = "Off: only addresses you add", "关闭后只用手动添加的地址";
    restart_hint = "Name, receipts and mDNS hold from the next start of the node.", "名称、回执和 mDNS 在节点下次启动后生效。";
    restart = "Restart the node", "重启节点";
    about = "Open source, MIT or Apache-2.0. No updates behind your back.", "开源软件，MIT 或 Apache-2.0 许可。不会自动更新。";
    copy_address = "Copy the address", "复制地址";
    copy_id = "Copy the id", "复制标识";
    copy_path = "Copy the path", "复制路径";
}
