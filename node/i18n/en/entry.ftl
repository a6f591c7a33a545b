# What the entry node says.

entry-is = { $name } is an entry node. Others reach it with:
entry-watch = http://{ $at }/healthz and http://{ $at }/metrics tell how it does
entry-stop = Stop it with Ctrl-C or SIGTERM.
entry-no-page = cannot answer at http://{ $at }: { $why }; give another address with --http, or --http off
entry-no-control = the control socket cannot be made: { $why }
entry-http = write an address such as 127.0.0.1:9464, or off
