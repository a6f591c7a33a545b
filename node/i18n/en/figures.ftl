# Days and dates.

figures-today = Today
figures-yesterday = Yesterday
figures-date = { $day } { $month }
figures-monday = Mon
figures-tuesday = Tue
figures-wednesday = Wed
figures-thursday = Thu
figures-friday = Fri
figures-saturday = Sat
figures-sunday = Sun
figures-january = January
figures-february = February
figures-march = March
figures-april = April
figures-may = May
figures-june = June
figures-july = July
figures-august = August
figures-september = September
figures-october = October
figures-november = November
figures-december = December
