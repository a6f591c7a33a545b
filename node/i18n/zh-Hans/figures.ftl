# Days and dates.

figures-today = 今天
figures-yesterday = 昨天
figures-date = { $month } { $day } 日
figures-monday = 周一
figures-tuesday = 周二
figures-wednesday = 周三
figures-thursday = 周四
figures-friday = 周五
figures-saturday = 周六
figures-sunday = 周日
figures-january = 1 月
figures-february = 2 月
figures-march = 3 月
figures-april = 4 月
figures-may = 5 月
figures-june = 6 月
figures-july = 7 月
figures-august = 8 月
figures-september = 9 月
figures-october = 10 月
figures-november = 11 月
figures-december = 12 月
