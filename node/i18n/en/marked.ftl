# The screens of things and of text on pictures.

marked-things-title = Things
marked-things-caption = What is where on a picture, of 80 kinds. Pictures stay on this LAN.
marked-things-empty = See what is where on your pictures
marked-things-empty-hint = Drop a picture, choose it with Ctrl O, or paste it with Ctrl V. A node of this LAN finds people, animals, vehicles, furniture, food and more.
marked-things-looking = Looking for things...
marked-things-count = { $things } things
marked-things-one = 1 thing
marked-things-none = Nothing that is known
marked-things-none-hint = 80 kinds of things are known: people, animals, vehicles, furniture, food. Small ones are hard to find; a larger picture may help.
marked-things-guesses = Names are guesses of a model.
marked-things-copy-name = { $stem }-things.jpg
marked-text-title = Text
marked-text-caption = Reads the text on a picture, Chinese and English. Pictures stay on this LAN.
marked-text-empty = Read the text on your pictures
marked-text-empty-hint = Drop a photographed page or a screenshot, choose it with Ctrl O, or paste it with Ctrl V. A node of this LAN reads it, and you can copy the text.
marked-text-looking = Reading the text...
marked-text-count = { $lines } lines
marked-text-one = 1 line
marked-text-none = No text in the picture
marked-text-none-hint = Letters that are very small, blurred or written by hand are hard to read. A sharper picture may help.
marked-text-guesses = A model read this. Check what matters.
marked-text-copy-name = { $stem }-text.jpg
marked-copy-line = Copy this line
