//! What screens that ask the mesh have in common: files, and why there is no answer.

use potluck::client::{CallFailure, FailureKind};

use super::{Lang, words};

words! {
    name_a_file = "Type a path", "输入路径";
    path_hint = "/home/mei/cat.jpg", "/home/mei/cat.jpg";
    no_dialogs = "This system has no file dialog. Type the path here.", "系统没有文件对话框，请在这里输入路径。";
    browse = "Browse", "浏览";
    add = "Add", "添加";
    save = "Save", "保存";
    save_as = "Save as", "另存为";
    saved_as(path: &str) = "Saved as {path}", "已保存为 {path}";
    unsaved(path: &str) = "{path} cannot be written", "无法写入 {path}";
    remove = "Remove", "移除";
    stop = "Stop", "停止";
    again = "Try again", "重试";
    clear = "Clear", "清空";
    pasted_picture = "Pasted picture", "粘贴的图片";
    nothing_pasted = "The clipboard holds no file and no picture", "剪贴板里没有文件或图片";
    nothing_pasted_hint = "Copy a picture, or a file in the file manager. Some systems keep the clipboard to themselves: choose the file instead.", "请复制一张图片，或在文件管理器里复制文件。有些系统不让程序读剪贴板，可以改为选择文件。";
    by(who: &str, time: &str) = "{who}·{time}", "{who}·{time}";
    bad_input = "Whoever looked at it says that the file is broken.", "处理的节点说这个文件有问题。";
    nobody = "Nobody offers this now. Turn it on under Offer, or on another computer.", "现在没有节点能做。在“提供”里打开，或换一台电脑打开。";
    peer_failed = "Whoever tried it failed. Another try may reach somebody else.", "处理的节点出错了，重试可能会换一个节点。";
    refused = "The owner of that node does not let you. Ask them to add you.", "对方没有允许你使用，请联系对方添加你。";
    timed_out = "No answer in time. The nodes may be busy.", "没有及时得到回答，节点可能正忙。";
}

/// Why there is no answer, and what to do.
pub fn failure(lang: Lang, failure: &CallFailure) -> &'static str {
    match failure.kind {
        FailureKind::BadInput => bad_input(lang),
        FailureKind::NobodyServes => nobody(lang),
        FailureKind::PeerFailed => peer_failed(lang),
        FailureKind::Refused => refused(lang),
        FailureKind::TimedOut => timed_out(lang),
    }
}

/// Everything about a failure, for somebody who helps.
pub fn details(failure: &CallFailure) -> String {
    let hops = failure.route.iter().map(|hop| {
        let detail = hop.detail.as_deref().unwrap_or_default();
        format!("\n{} ({}): {}, {} ms {detail}", hop.name, hop.id, hop.outcome, hop.milliseconds)
    });
    std::iter::once(failure.message.clone()).chain(hops).collect()
}
