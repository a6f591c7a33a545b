//! The frame: sidebar, messages, the command line.

use super::words;

words! {
    potluck = "Potluck", "Potluck";
    ask_the_mesh = "Ask the mesh", "请大家帮忙";
    this_computer = "This computer", "本机";
    alone = "Alone so far", "还没有别的节点";
    open_mesh(nodes: usize) = "Open mesh·{nodes} nodes", "开放网·{nodes} 个节点";
    starting = "Starting...", "正在启动……";
    not_running = "Not running", "没有运行";
    starting_long = "The node of this computer starts.", "正在启动本机的节点。";
    cannot_start = "The node cannot start", "节点无法启动";
    try_again = "Try again", "重试";
    node_gone = "The node that ran in this data folder has stopped.", "这个数据文件夹里的节点已停止。";
    clone_here = "Another computer uses this node's identity. Messages may go to either of them.", "另一台电脑用了本机的身份，消息可能会送到任何一台。";
    close = "Close", "关闭";
    back = "Back", "返回";
    copy = "Copy", "复制";
    copied = "Copied", "已复制";
    copy_details = "Copy details", "复制详情";
    settings_unsaved(why: &str) = "The settings cannot be saved: {why}", "设置无法保存：{why}";
    settings_unread(why: &str) = "The settings of the window cannot be read and are as new: {why}", "窗口的设置读不出来，已恢复默认：{why}";
    you = "You", "你";
}
