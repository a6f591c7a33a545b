//! The screen that recognizes pictures.

use super::words;

words! {
    title = "Recognize", "识图";
    caption = "What is on a picture, best guess first. Pictures stay on this LAN.", "图片上有什么，最可能的在最前。图片不会离开局域网。";
    add_pictures = "Add pictures", "添加图片";
    save_csv = "Save as CSV", "存为 CSV";
    file_name = "labels.csv", "labels.csv";
    any_model = "Any model", "任意模型";
    drop_here = "Drop pictures here", "把图片拖到这里";
    or_drop_here = "Or drop pictures here, or", "也可以拖到这里，或按";
    choose = "Choose", "选择";
    empty = "See what is on your pictures", "看看图片里有什么";
    empty_hint = "Drop as many as you like, choose them with Ctrl O, or paste one with Ctrl V. Each goes to the node that answers soonest, and the labels show here one by one.", "可以拖入许多图片，按 Ctrl O 选择，或按 Ctrl V 粘贴。每张都交给回答最快的节点，标签会逐个显示在这里。";
    done_of(done: usize, all: usize) = "{done} of {all} done", "已完成 {done}/{all}";
    running(count: usize) = "{count} running", "{count} 个进行中";
    waiting(count: usize) = "{count} waiting", "{count} 个排队中";
    failed(count: usize) = "{count} without an answer", "{count} 个没有结果";
    all_fine = "All have an answer", "全部有结果";
    is_running = "Running", "进行中";
    is_waiting = "Waiting", "排队中";
    is_reading = "Reading", "读取中";
    is_failed = "Failed", "失败";
    is_stopped = "Stopped", "已停止";
    no_picture = "Not a picture", "不是图片";
    unreadable = "Unreadable", "读不了";
    asking = "The mesh is asked. Whoever is free answers.", "正在请求，空闲的节点会回答。";
    next = "Next in line", "下一个就是";
    waits_for_node = "It is asked when the node of this computer is there.", "本机节点就绪后开始。";
    no_picture_hint = "It is no picture, or a broken one. JPEG, PNG, WebP, BMP, GIF and TIFF work.", "不是图片，或已损坏。支持 JPEG、PNG、WebP、BMP、GIF 和 TIFF。";
    unreadable_hint = "The file is gone, or may not be read.", "文件不在了，或没有读取权限。";
    stopped_hint = "You stopped it.", "你停止了它。";
    choose_another = "Choose another", "换一个";
    copy_labels = "Copy the labels", "复制标签";
    nothing_seen = "No label", "没有标签";
    try_all_again = "Try all again", "全部重试";
    too_many(most: usize) = "At most {most} pictures at once", "一次最多 {most} 张图片";
    too_many_hint = "The others were not added. Save these as CSV and clear them first.", "其余的没有添加。先存为 CSV 并清空。";
    percent(value: &str) = "{value}%", "{value}%";
}
