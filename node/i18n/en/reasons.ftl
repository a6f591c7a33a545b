# Why something is not done, of what has no error type of its own.

reasons-answer-lost = the answer was lost
reasons-input-late = the input could not be read in time
reasons-late = no answer within { $seconds } s; --timeout allows more
reasons-not-there = { $name } does not offer { $capability } or is not there
reasons-no-model = nobody here has the model { $model }; there are: { $known }
reasons-nobody = nobody here offers { $capability } (offered: { $known }). Start a node that does, or see `potluck doctor`
reasons-nobody-nor-this = nobody here offers { $capability } (offered: { $known }; on this node: { $why }). Start a node that does, or see `potluck doctor`
reasons-no-mail = this node has no mail: it runs without a data folder
reasons-unreadable = the peer's answer cannot be read; it may run another version ({ $why })
reasons-goodbye = said goodbye
reasons-lost = stopped answering
reasons-expired = was not heard of for a long time
reasons-evicted = made room for others
reasons-gone = is gone
reasons-no-address = { $text } is not an address: { $why }
reasons-no-host = { $text } is not an address: { $why }. Write it as 192.168.1.20:4001 or as a multiaddr
