//! Every sentence of the doctor, in English and Chinese, side by side.

use super::Lang;

/// The sentences of one finding: what is the matter, and what to do. `{name}` stands for a value.
pub(super) struct Text {
    pub(super) code: &'static str,
    pub(super) english: [&'static str; 2],
    pub(super) chinese: [&'static str; 2],
}

/// What is the matter and what to do, with `values` filled in.
pub(super) fn sentences(code: &str, lang: Lang, values: &[(&str, &str)]) -> (String, String) {
    let text = TEXTS.iter().find(|text| text.code == code);
    let [what, todo] = match (text, lang) {
        (Some(text), Lang::English) => text.english,
        (Some(text), Lang::Chinese) => text.chinese,
        (None, _) => [code, ""],
    };
    (fill(what, values), fill(todo, values))
}

/// Fills in values without looking for places inside of values.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, left) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(before);
        filled.push_str(values.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value));
        rest = left;
    }
    filled + rest
}

pub(super) const TEXTS: &[Text] = &[
    Text {
        code: "cannot-serve",
        english: [
            "This node was set up for {capability} and cannot serve it: {why}.",
            "Correct its section in config.toml and start the node again.",
        ],
        chinese: [
            "本节点已设置 {capability}，但无法提供：{why}。",
            "请修改 config.toml 中的相应部分，然后重新启动节点。",
        ],
    },
    Text {
        code: "peers",
        english: ["All is well: {known} peers known, {connected} of them connected.", ""],
        chinese: ["一切正常：已知 {known} 个节点，其中 {connected} 个已连接。", ""],
    },
    Text {
        code: "not-running",
        english: [
            "No node runs in this data folder, so only the computer itself could be looked at.",
            "Start one with \"potluck up\" and run \"potluck doctor\" again.",
        ],
        chinese: [
            "这个数据文件夹里没有正在运行的节点，所以只检查了电脑本身。",
            "先用 \"potluck up\" 启动节点，再运行 \"potluck doctor\"。",
        ],
    },
    Text {
        code: "cloned-identity",
        english: [
            "Another node at {address} uses the same identity as this one; the mesh takes the two for one, and neither works well.",
            "The data folder was probably copied. On one of the two computers stop the node, remove identity.key from its data folder and start it again.",
        ],
        chinese: [
            "{address} 上的另一个节点和本节点用了同一个身份；网络会把两者当成一个，两边都不能正常工作。",
            "数据文件夹多半是复制来的。请在其中一台电脑上停止节点，删除它数据文件夹里的 identity.key，再启动。",
        ],
    },
    Text {
        code: "other-mesh",
        english: [
            "There are Potluck nodes here, but they belong to another mesh ({meshes}); this node belongs to \"{mesh}\".",
            "If you want to join them, set mesh in config.toml to their name and restart the node.",
        ],
        chinese: [
            "这里有 Potluck 节点，但它们属于别的网络（{meshes}）；本节点属于 \"{mesh}\"。",
            "如果想加入它们，把 config.toml 里的 mesh 改成它们的名字，然后重启节点。",
        ],
    },
    Text {
        code: "other-mesh-dialled",
        english: [
            "The node at {addresses} belongs to another mesh; this one belongs to \"{mesh}\".",
            "Ask its owner for the name of the mesh, set mesh in config.toml to it and restart the node.",
        ],
        chinese: [
            "{addresses} 上的节点属于别的网络；本节点属于 \"{mesh}\"。",
            "向对方问清网络的名字，把 config.toml 里的 mesh 改成它，然后重启节点。",
        ],
    },
    Text {
        code: "not-potluck",
        english: [
            "Other programs that use libp2p answer here ({addresses}), but they are not Potluck nodes.",
            "Nothing needs to be done about them.",
        ],
        chinese: [
            "这里有别的使用 libp2p 的程序（{addresses}），但它们不是 Potluck 节点。",
            "不必处理它们。",
        ],
    },
    Text {
        code: "not-listening",
        english: [
            "The node listens on no address, so nobody can reach it.",
            "Look at listen below [network] in config.toml; remove the line to have the default, and restart the node.",
        ],
        chinese: [
            "节点没有监听任何地址，所以谁也连不上它。",
            "检查 config.toml 中 [network] 下的 listen；删除这一行就用默认值，然后重启节点。",
        ],
    },
    Text {
        code: "loopback-only",
        english: [
            "The node listens only on this computer's own address (loopback), so no other computer can reach it.",
            "Start it with --listen /ip4/0.0.0.0/tcp/0, or remove listen below [network] in config.toml.",
        ],
        chinese: [
            "节点只监听本机地址（回环），别的电脑都连不上它。",
            "启动时加上 --listen /ip4/0.0.0.0/tcp/0，或者删除 config.toml 中 [network] 下的 listen。",
        ],
    },
    Text {
        code: "wrong-interface",
        english: [
            "The node listens only on a virtual network ({virtual}), not on the real one ({real}).",
            "Start it with --listen /ip4/0.0.0.0/tcp/0, or name the address of {real} in listen below [network] in config.toml.",
        ],
        chinese: [
            "节点只监听虚拟网络（{virtual}），没有监听真正的网络（{real}）。",
            "启动时加上 --listen /ip4/0.0.0.0/tcp/0，或者在 config.toml 中 [network] 下的 listen 里写上 {real} 的地址。",
        ],
    },
    Text {
        code: "no-network",
        english: [
            "This computer is in no network: it has no address but its own.",
            "Plug in the cable or join the Wi-Fi, then run \"potluck doctor\" again.",
        ],
        chinese: [
            "这台电脑没有联网：除了本机地址，没有别的地址。",
            "插上网线或连上 Wi-Fi，再运行 \"potluck doctor\"。",
        ],
    },
    Text {
        code: "only-virtual",
        english: [
            "Only virtual networks are up ({virtual}): containers, virtual machines or a VPN. Other computers are usually not in them.",
            "Plug in the cable or join the Wi-Fi. If the others are in that virtual network, name one with --join ADDRESS, because such networks seldom carry mDNS.",
        ],
        chinese: [
            "只有虚拟网络可用（{virtual}）：容器、虚拟机或 VPN。别的电脑通常不在里面。",
            "插上网线或连上 Wi-Fi。如果对方就在这个虚拟网络里，用 --join 地址 指明一个，因为这种网络很少传送 mDNS。",
        ],
    },
    Text {
        code: "mdns-off",
        english: [
            "Looking for others on the local network (mDNS) is switched off.",
            "Start without --no-mdns and without mdns = false in config.toml, or name a node with --join ADDRESS.",
        ],
        chinese: [
            "在局域网里寻找节点（mDNS）的功能关着。",
            "启动时不要加 --no-mdns，config.toml 里也不要写 mdns = false；或者用 --join 地址 指明一个节点。",
        ],
    },
    Text {
        code: "no-multicast",
        english: [
            "The network interface {interfaces} does not carry multicast, by which nodes find each other.",
            "Switch multicast on (sudo ip link set {interfaces} multicast on), look at the firewall, or name a node with --join ADDRESS.",
        ],
        chinese: [
            "网络接口 {interfaces} 不传送组播，而节点要靠组播互相发现。",
            "打开组播（sudo ip link set {interfaces} multicast on），检查防火墙，或者用 --join 地址 指明一个节点。",
        ],
    },
    Text {
        code: "multicast-in-part",
        english: [
            "The network interface {interfaces} does not carry multicast; nodes behind it are not found on their own.",
            "If the others are behind it, switch multicast on (sudo ip link set {interfaces} multicast on) or name one with --join ADDRESS.",
        ],
        chinese: [
            "网络接口 {interfaces} 不传送组播；它那一侧的节点不会被自动发现。",
            "如果对方在那一侧，打开组播（sudo ip link set {interfaces} multicast on），或者用 --join 地址 指明一个节点。",
        ],
    },
    Text {
        code: "isolated",
        english: [
            "Other nodes announce themselves, but none of them answers ({addresses}). The Wi-Fi probably keeps its devices apart (\"client isolation\", usual in guest networks), or a firewall on the other computers blocks them.",
            "Use the main Wi-Fi or a cable, switch client isolation off in the router, or allow Potluck in the firewalls of the other computers.",
        ],
        chinese: [
            "别的节点在宣告自己，但都没有回应（{addresses}）。多半是 Wi-Fi 把设备互相隔离了（“客户端隔离”，访客网络常见），或者对方电脑的防火墙挡住了。",
            "改用主 Wi-Fi 或网线，在路由器里关闭客户端隔离，或者在对方电脑的防火墙里放行 Potluck。",
        ],
    },
    Text {
        code: "no-way",
        english: [
            "The addresses that were dialled do not answer: {addresses}.",
            "Check that the address is right, that the other computer is on and in the same network, and that its firewall lets Potluck through.",
        ],
        chinese: [
            "拨打的地址没有回应：{addresses}。",
            "检查地址是否正确，对方电脑是否开机并在同一个网络里，以及它的防火墙是否放行 Potluck。",
        ],
    },
    Text {
        code: "refused",
        english: [
            "A computer answers at {addresses}, but no node listens there.",
            "The node has stopped or uses another port now: run \"potluck id\" on the other computer and join one of the addresses that it prints.",
        ],
        chinese: [
            "{addresses} 的电脑有回应，但那里没有节点在监听。",
            "那个节点已停止，或者换了端口：在对方电脑上运行 \"potluck id\"，再用它列出的地址加入。",
        ],
    },
    Text {
        code: "firewall",
        english: [
            "A firewall is active on this computer ({names}) and may block other nodes.",
            "Let mDNS and Potluck through: {commands}. Ports change at each start unless listen in config.toml names fixed ones.",
        ],
        chinese: [
            "这台电脑开着防火墙（{names}），可能挡住了别的节点。",
            "放行 mDNS 和 Potluck：{commands}。除非 config.toml 的 listen 里写了固定端口，否则端口每次启动都会变。",
        ],
    },
    Text {
        code: "nobody-answers",
        english: [
            "Nothing is wrong on this computer, but nobody answers. This may be the first node here; or the Wi-Fi keeps its devices apart (\"client isolation\", usual in guest networks).",
            "Start Potluck on a second computer in the same network. If the two do not see each other within some seconds, name one to the other with --join ADDRESS (\"potluck id\" prints addresses); if that fails as well, use a cable or another Wi-Fi.",
        ],
        chinese: [
            "这台电脑没有问题，但没有人回应。可能这是第一个节点；也可能 Wi-Fi 把设备互相隔离了（“客户端隔离”，访客网络常见）。",
            "在同一网络的第二台电脑上启动 Potluck。如果几秒内互相看不到，用 --join 地址 告诉其中一台（\"potluck id\" 会列出地址）；还不行就用网线或换一个 Wi-Fi。",
        ],
    },
];
