# What the people of the demo write to each other.

demo-question = Is there a face on this picture? My computer cannot tell.
demo-answer = One. Look yourself: open Faces and press "Try the sample". My computer does the work, the picture stays on this LAN. The answers of our class are attached: drop the table on Analyze.
demo-stranger = Hello! I have a good graphics card. Send me your pictures on Recognize, as many as you like.
