#!/usr/bin/env python3
"""Makes class.csv: an invented class that was asked for a term how it studies. Seeded, nobody real."""

import datetime
import pathlib
import random

ENGLISH = ["quiet library", "group work helps", "too much homework", "more examples please", "good teacher",
           "the lab is fun", "slides are clear", "exam was hard", "need more practice", "office hours help"]
CHINESE = ["图书馆很安静", "小组讨论很有帮助", "作业太多", "希望多讲例题", "老师讲得清楚", "实验课很有趣",
           "考试有点难", "需要更多练习", "同学互相帮助", "课件很清楚"]
DRINKS = ["tea", "coffee", "water", "juice"]

random.seed(2026)
rows = ["date,group,study_hours,sleep_hours,score,drink,remark"]
day = datetime.date(2026, 2, 23)
for index in range(240):
    date = day + datetime.timedelta(days=index // 2)
    study = max(0.5, random.gauss(4, 1.5))
    sleep = min(10, max(4, 10.5 - 0.5 * study + random.gauss(0, 0.9)))
    score = min(100, max(20, 48 + 8 * study - 0.5 * (study - 4) ** 2 + random.gauss(0, 7)))
    remark = " ".join(random.sample(ENGLISH if random.random() < 0.45 else CHINESE, 2))
    cells = [date.isoformat(), random.choice("ABC"), f"{study:.1f}", f"{sleep:.1f}", f"{score:.0f}",
             random.choices(DRINKS, [5, 3, 2, 1])[0], remark]
    if random.random() < 0.06:
        cells[random.choice([3, 5])] = ""
    rows.append(",".join(cells))
pathlib.Path(__file__).with_name("class.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
