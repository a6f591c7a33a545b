//! Capabilities that have no screen of their own.

use super::words;

words! {
    title = "More", "更多";
    caption = "What else somebody in the mesh offers", "网里还有人提供的其他能力";
    capability = "Capability", "能力";
    nodes = "Nodes", "节点";
    none = "Nothing more is offered", "没有其他能力";
    none_hint = "Capabilities without a screen of their own show here as soon as a node offers them.", "没有专门界面的能力，一有节点提供就会显示在这里。";
    choose = "Choose a capability", "选择一项能力";
    choose_hint = "Each gets a form from what its node says of it.", "表单会按节点的说明生成。";
    asking_about = "Its node is asked what it takes...", "正在询问节点需要什么……";
    untold = "Its nodes do not say what it takes. Name the values as its maker describes them.", "提供它的节点没有说明需要什么。请按作者的说明填写名称和值。";
    file = "File", "文件";
    picture = "Picture", "图片";
    table = "Table", "表格";
    needed = "needed", "必填";
    no_file = "No file chosen", "还没有选文件";
    choose_file = "Choose a file", "选择文件";
    remove_file = "Leave the file out", "不用这个文件";
    input = "Text", "文字";
    model = "Model", "模型";
    any_model = "Any", "任意";
    name = "Name", "名称";
    value = "Value", "值";
    add_value = "Add a value", "添加一项";
    remove_value = "Remove this value", "删除这一项";
    empty_is_left_out = "empty: left out", "留空表示不填";
    not_number = "This is not a number", "这不是数字";
    named_twice = "This name is there already", "这个名称重复了";
    will_answer(who: &str) = "{who} will answer.", "由 {who} 回答。";
    or(one: &str, other: &str) = "{one} or {other}", "{one} 或 {other}";
    or_more(one: &str, count: usize) = "{one} or one of {count} others", "{one} 或另外 {count} 个节点";
    ask = "Ask", "发送请求";
    asks = "Asked. Whoever is free answers...", "正在请求，空闲的节点会回答……";
    answer = "Answer", "回答";
    no_answer = "No answer", "没有回答";
    says(why: &str) = "It was said: {why}", "原因：{why}";
    save_answer = "Save", "保存";
    save_data(size: &str) = "Save the file that came ({size})", "保存收到的文件（{size}）";
    answer_name = "answer.json", "answer.json";
    data_name = "answer.data", "answer.data";
    cut_here(lines: usize) = "Only the first {lines} lines show. Save it to see all.", "只显示前 {lines} 行，保存后可查看全部。";
}
