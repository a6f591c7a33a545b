//! What this node asked and served.

use super::words;

words! {
    title = "Activity", "记录";
    caption = "What this computer asked and served since it started. Only kept here.", "本机启动以来发出和处理的请求，只保存在本机。";
    all = "All", "全部";
    asked = "Asked", "发出";
    served = "Served", "处理";
    failed = "Failed", "失败";
    search = "Search", "搜索";
    last_minute = "in the last minute", "最近一分钟";
    now = "under way now", "正在进行";
    load = "Serving at once", "同时处理";
    nothing = "Nothing yet", "还没有记录";
    nothing_hint = "Recognize a picture, or say something to the robot: what was asked, who answered, and how long it took shows here. What this computer does for others shows too.", "识别一张图片，或对机器人说句话：问了什么、谁回答、用了多久都会显示在这里。本机为别人做的也会显示。";
    nothing_fits = "Nothing fits", "没有符合的";
    nothing_fits_hint = "Choose All, or search for something else.", "选“全部”，或换个词搜索。";
    by(who: &str) = "by {who}", "由 {who} 完成";
    for_whom(who: &str) = "for {who}", "为 {who} 处理";
    by_this = "by this computer", "由本机完成";
    running = "Running", "进行中";
    running_at(percent: u8) = "Running, {percent}%", "进行中 {percent}%";
    done = "Done", "完成";
    at = "Time", "时间";
    side = "Direction", "方向";
    you_asked = "This computer asked", "本机发出";
    you_served = "This computer served", "本机处理";
    who = "Who", "对方";
    input = "Input", "输入";
    no_input = "None", "无";
    took = "Took", "用时";
    route = "Route", "路由";
    route_of(count: usize) = "{count} tried", "试过 {count} 个";
    route_none = "Nobody was tried.", "没有试过任何节点。";
    route_served = "Who was tried is known to whoever asked.", "试过哪些节点，只有发出请求的一方知道。";
    expected(time: &str) = "Expected to be done in {time}", "预计用时 {time}";
    answered = "Answered", "已回答";
    busy = "Busy, so the next was asked", "忙，改问下一个";
    refused = "Refused", "拒绝";
    broke = "Failed", "失败";
    lost = "Lost: it left, or was silent too long", "失联：离线，或太久没有回应";
    cancelled = "Not needed any more", "不再需要";
    hedge = "A second copy, since the first took unusually long", "第一个太慢，同时再问一个";
    copy_all = "Copy details", "复制详情";
}
