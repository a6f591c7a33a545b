"""Makes the files of this folder, and `expected.json`: what pandas and pyarrow say of them.

    python3 -m venv venv && venv/bin/pip install pandas openpyxl pyarrow xlwt odfpy msoffcrypto-tool
    venv/bin/python make.py
"""

import datetime as dt
import decimal
import io
import json
import pathlib

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile
from odf.number import CurrencyStyle, CurrencySymbol, Number, PercentageStyle
from odf.number import Text as NumberText
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import Style
from odf.table import Table, TableCell, TableRow
from odf.text import P
from openpyxl.styles import PatternFill

HERE = pathlib.Path(__file__).parent
ROWS = 40

rng = np.random.default_rng(7)
AMOUNT = [round(float(x), 2) for x in rng.lognormal(4, 1, ROWS)]
SHARE = [round(float(x), 4) for x in rng.random(ROWS)]
DAY = [dt.date(2024, 1, 1) + dt.timedelta(days=int(x)) for x in rng.integers(0, 500, ROWS)]
CODE = [f"{int(x):05d}" for x in rng.integers(0, 30000, ROWS)]
NAME = [["Anna", "李文博", "Zoë", "O'Neil, J."][int(x)] for x in rng.integers(0, 4, ROWS)]
UNITS = [None if i % 11 == 3 else int(x) for i, x in enumerate(rng.integers(0, 90, ROWS))]


def frame():
    return pd.DataFrame({
        "name": NAME, "day": pd.to_datetime(DAY), "amount": AMOUNT, "share": SHARE,
        "code": CODE, "units": pd.array(UNITS, dtype="Int64"),
    })


def expected(table):
    """What pandas says of each column."""
    columns = []
    for name in table.columns:
        column = table[name]
        known = {"name": str(name), "missing": int(column.isna().sum()), "distinct": int(column.nunique())}
        if pd.api.types.is_bool_dtype(column.dtype):
            pass
        elif pd.api.types.is_numeric_dtype(column.dtype):
            column = column.astype("float64")
            known |= {"mean": column.mean(), "std": column.std(), "min": column.min(), "max": column.max(),
                      "median": column.median()}
        elif pd.api.types.is_datetime64_any_dtype(column.dtype):
            known |= {"first": column.min().isoformat(), "last": column.max().isoformat()}
        columns.append(known)
    return {"rows": len(table), "columns": columns}


def styled():
    """A workbook as people make it: a cover sheet, a title, a header of two lines with merged cells, a merged
    region beside several rows, formats, an error, a footnote, a hidden sheet."""
    book = openpyxl.Workbook()
    about = book.active
    about.title = "About"
    about["A1"] = "Made by the sales office"
    sheet = book.create_sheet("Sales 2024")
    sheet["B2"] = "Sales by region"
    sheet.merge_cells("B2:J2")
    for cell, text in {"B4": "region", "C4": "day", "D4": "2024", "F4": "customer", "H4": "time", "J4": "paid",
                       "D5": "amount", "E5": "share", "F5": "code", "G5": "zip", "H5": "start", "I5": "length"}.items():
        sheet[cell] = text
    for area in ("B4:B5", "C4:C5", "D4:E4", "F4:G4", "H4:I4", "J4:J5"):
        sheet.merge_cells(area)
    rows = []
    for at in range(12):
        row = 6 + at
        region = ["north", "south", "west"][at // 4]
        if at % 4 == 0:
            sheet.cell(row, 2, region)
            sheet.merge_cells(start_row=row, start_column=2, end_row=row + 3, end_column=2)
        amount, share, day = AMOUNT[at], SHARE[at], DAY[at]
        start = dt.time(8 + at, 5 * at % 60)
        length = dt.timedelta(hours=5 * at, minutes=30)
        for column, value, look in ((3, day, "d/m/yyyy"), (4, amount, '"$"#,##0.00'), (5, share, "0.00%"), (6, CODE[at], "@"),
                                    (7, 100 + at, "00000"), (8, start, "h:mm"), (9, length, "[h]:mm:ss"), (10, at % 3 == 0, "General")):
            sheet.cell(row, column, value).number_format = look
        rows.append([region, day.isoformat(), f"${amount:.2f}", None, CODE[at], f"{100 + at:05d}", start.isoformat(),
                     f"{5 * at:02d}:30:00", str(at % 3 == 0).upper()])
        percent = decimal.Decimal(repr(share)) * 100
        text = format(percent.normalize(), "f")
        whole, _, places = text.partition(".")
        rows[-1][3] = f"{whole}.{places.ljust(2, '0')}%"
    sheet["D10"] = "#DIV/0!"
    sheet["D10"].data_type = "e"
    rows[4][2] = "#DIV/0!"
    sheet["B19"] = "Source: the till"
    secret = book.create_sheet("Secret")
    secret.sheet_state = "hidden"
    secret.append(["a", "b"])
    secret.append([1, 2])
    secret.append([3, 4])
    more = book.create_sheet("数据")
    more.append(["城市", "人口"])
    for city, people in (("北京", 21.9), ("上海", 24.9), ("广州", 18.8)):
        more.append([city, people])
    book.save(HERE / "styled.xlsx")
    names = ["region", "day", "2024 amount", "2024 share", "customer code", "customer zip", "time start", "time length", "paid"]
    return {"names": names, "cells": rows}


def old():
    """The same kinds in a workbook from before 2007."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Old")
    book.add_sheet("Other").write(0, 0, "x")
    looks = [None, "yyyy-mm-dd", "$#,##0.00", "0.00%", None, None]
    for column, name in enumerate(frame().columns):
        sheet.write(0, column, name)
    for at in range(ROWS):
        for column, value in enumerate((NAME[at], DAY[at], AMOUNT[at], SHARE[at], CODE[at], UNITS[at])):
            if value is not None:
                style = xlwt.easyxf(num_format_str=looks[column]) if looks[column] else xlwt.Style.default_style
                sheet.write(1 + at, column, value, style)
    book.save(str(HERE / "old.xls"))


def open_document():
    book = OpenDocumentSpreadsheet()
    percent = PercentageStyle(name="P")
    percent.addElement(Number(decimalplaces="2"))
    percent.addElement(NumberText(text="%"))
    money = CurrencyStyle(name="M")
    money.addElement(CurrencySymbol(text="€"))
    money.addElement(Number(decimalplaces="2"))
    for one in (percent, money, Style(name="p", family="table-cell", datastylename="P"), Style(name="m", family="table-cell", datastylename="M")):
        book.automaticstyles.addElement(one)
    cover, sheet = Table(name="Cover"), Table(name="Open")
    row = TableRow()
    cell = TableCell(valuetype="string")
    cell.addElement(P(text="Nothing here"))
    row.addElement(cell)
    cover.addElement(row)

    def put(row, kind, shown, **more):
        cell = TableCell(valuetype=kind, **more)
        cell.addElement(P(text=shown))
        row.addElement(cell)

    head = TableRow()
    for name in frame().columns:
        put(head, "string", name)
    sheet.addElement(head)
    for at in range(ROWS):
        row = TableRow()
        put(row, "string", NAME[at])
        put(row, "date", DAY[at].strftime("%d.%m.%y"), datevalue=DAY[at].isoformat())
        put(row, "currency", f"{AMOUNT[at]:,.2f} €".replace(",", "."), value=repr(AMOUNT[at]), currency="EUR", stylename="m")
        put(row, "percentage", f"{100 * SHARE[at]:.2f}%", value=repr(SHARE[at]), stylename="p")
        put(row, "string", CODE[at])
        if UNITS[at] is not None:
            put(row, "float", str(UNITS[at]), value=str(UNITS[at]))
        sheet.addElement(row)
    rest = TableRow(numberrowsrepeated=str(1048576 - ROWS - 1))
    rest.addElement(TableCell(numbercolumnsrepeated="16384"))
    sheet.addElement(rest)
    book.spreadsheet.addElement(cover)
    book.spreadsheet.addElement(sheet)
    book.save(str(HERE / "open.ods"))


def typed():
    """Every type that Parquet and Arrow files of people have."""
    index = list(range(ROWS))
    table = pa.table({
        "tiny": pa.array([i - 20 for i in index], pa.int8()),
        "big": pa.array([None if i == 5 else 10**15 + i for i in index], pa.int64()),
        "huge": pa.array([2**63 + i for i in index], pa.uint64()),
        "real": pa.array([float("nan") if i == 7 else a for i, a in enumerate(AMOUNT)], pa.float64()),
        "whole": pa.array([float(i) for i in index], pa.float64()),
        "small": pa.array([i / 4 for i in index], pa.float32()),
        "money": pa.array([decimal.Decimal(f"{a:.2f}") for a in AMOUNT], pa.decimal128(12, 2)),
        "true": pa.array([None if i == 3 else i % 2 == 0 for i in index]),
        "code": pa.array(CODE),
        "digits": pa.array([str(i) for i in index]),
        "name": pa.array(NAME).dictionary_encode(),
        "day": pa.array(DAY, pa.date32()),
        "second": pa.array([dt.datetime(2024, 1, 1) + dt.timedelta(seconds=97 * i) for i in index], pa.timestamp("us")),
        "nano": pa.array([1_700_000_000_000_000_000 + i * 1_000_500_000 for i in index], pa.timestamp("ns", "UTC")),
        "nothing": pa.nulls(ROWS),
        "list": pa.array([[i, i + 1] for i in index]),
        "place": pa.array([{"city": NAME[i], "at": {"x": i / 2}} for i in index]),
    })
    pa.parquet.write_table(table, HERE / "typed.parquet", row_group_size=17)
    pa.parquet.write_table(table.select(["code", "real"]), HERE / "zstd.parquet", compression="zstd")
    pa.feather.write_feather(table, HERE / "typed.arrow", compression="lz4")
    with pa.OSFile(str(HERE / "typed.arrows"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=13)
    flat = table.flatten().flatten().to_pandas()
    return expected(flat.drop(columns=["list", "nothing"]))


def json_files():
    records = [
        {"id": i, "name": NAME[i], "amount": AMOUNT[i], "units": UNITS[i], "day": DAY[i].isoformat(), "ok": i % 2 == 0,
         "place": {"city": NAME[i], "code": CODE[i]}, "tags": ["a", i]}
        for i in range(ROWS)
    ]
    records[4]["late"] = "only here"
    del records[6]["amount"]
    (HERE / "lines.ndjson").write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
    (HERE / "list.json").write_text(json.dumps(records, ensure_ascii=False, indent=1))
    flat = pd.json_normalize(records).drop(columns=["tags"])
    flat["day"] = pd.to_datetime(flat["day"])
    return expected(flat)


def bad():
    """Files that are refused."""
    book = openpyxl.Workbook()
    book.save(HERE / "empty.xlsx")
    book.active["A1"] = 1
    plain = io.BytesIO()
    book.save(plain)
    with open(HERE / "locked.xlsx", "wb") as out:
        OOXMLFile(plain).encrypt("password", out)
    # A cell in each corner of a sheet, and styles down a column: almost nothing, said to be everything.
    book.active["XFD1048576"] = 2
    for row in range(1, 2000):
        book.active.cell(row, 1).fill = PatternFill("solid", fgColor="FFEEEEEE")
    for at in range(1, 2500):
        book.active.cell(at, at, at)
    book.save(HERE / "sparse.xlsx")


def main():
    answers = {"styled.xlsx": styled(), "plain": expected(frame()), "typed": typed(), "json": json_files()}
    frame().to_excel(HERE / "plain.xlsx", index=False)
    old()
    open_document()
    bad()
    text = json.dumps(answers, ensure_ascii=False, indent=1, allow_nan=False)
    (HERE / "expected.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
