# The screen of the mesh.

mesh-title = Mesh
mesh-caption-alone = Open mesh, looking for others
mesh-caption = Open mesh·{ $on } of { $all } others are on
mesh-map = Map
mesh-list = List
mesh-add-address = Add by address
mesh-you-asked = You asked
mesh-you-serve = You serve
mesh-legend = Nearer = faster·thicker = more calls·arc = load
mesh-running-now = Running now
mesh-calls = { $count } calls
mesh-nothing-runs = Nothing runs. What you ask and what you serve shows here.
mesh-asked-for-you = asked for you
mesh-served-for = for { $who }
mesh-more-nodes = +{ $count } more in the list
mesh-on = On
mesh-checked = Being checked
mesh-known = Known, not connected
mesh-device = Device
mesh-link = Link
mesh-connected = Connected, encrypted
mesh-not-connected = Connects when needed
mesh-latency = Latency
mesh-unknown = Not measured
mesh-load = Load
mesh-load-of = { $queue } waiting, { $slots } at a time
mesh-idle = Idle
mesh-offers = Offers
mesh-offers-nothing = Offers nothing. It can ask, and be written to.
mesh-speed-waiting = speed·waiting
mesh-per-second = { $rate } /s
mesh-serving-now = With this computer now
mesh-asked-of = You asked
mesh-served-to = You serve it
mesh-this-node = This computer
mesh-own-card = This is you. Others see what you offer here.
mesh-cannot-offer = { $what } is not offered: { $why }
mesh-addresses = Addresses
mesh-nobody = Nobody found yet
mesh-nobody-hint = Open Potluck on a second computer in this room. It shows up here by itself, usually within a second.
mesh-know-address = Know an address?
mesh-know-address-hint = Paste what the other computer shows under Settings.
mesh-address-example = 192.168.1.20:4001
mesh-connect = Connect
mesh-connecting = Calling this address. The node shows up here when it answers.
mesh-doctor = The doctor looked around
mesh-doctor-looks = The doctor looks around...
mesh-doctor-count = { $checks } findings, { $problems } to see to
mesh-doctor-fine = { $checks } findings, nothing to do
mesh-check-again = Check again
mesh-good = Good
mesh-note = Note
mesh-problem = See to it
mesh-copy-report = Copy report
mesh-guest-wifi = Guest Wi-Fi often keeps computers apart. A cable helps.
mesh-went = { $name } is off
mesh-recognize = Recognize
mesh-detect = Find things
mesh-read = Read text
mesh-faces = Faces
mesh-facepp = Faces by Face++
mesh-analyze = Analyze
mesh-chat = Chat robot
mesh-keep = Keeps mail
mesh-mail = Takes mail
mesh-ms = { $value } ms
mesh-unlinked = not connected

## The private mesh

mesh-caption-private = { $name }·{ $on } of { $all } others are on
mesh-caption-private-alone = { $name }, looking for other members
mesh-members = Members
mesh-private-title = Private mesh
mesh-private-back = Show the mesh
mesh-private-in = Private mesh { $name }
mesh-private-open = Open mesh { $name }
mesh-private-what = This computer is in the open mesh
mesh-private-what-hint = Whoever is in the same network sees it, and may ask what it offers. In a private mesh only those see each other who were invited.
mesh-private-name = Name, such as lab
mesh-private-found = Found
mesh-private-found-title = Found a private mesh
mesh-private-found-hint = This computer becomes its first admin and invites the others.
mesh-private-paste = potluck-invite:...
mesh-private-join = Join
mesh-private-join-title = Join with an invite
mesh-private-join-hint = Paste the line that an admin sent you. Potluck must run on their computer.
mesh-private-joining = Asking the admin to let this computer in...
mesh-private-founding = Signing. The node starts again in the private mesh...
mesh-private-leaving = Leaving. The node starts again in the open mesh...
mesh-private-starts-again = The node starts again...
mesh-private-entered = This computer is in { $name }
mesh-private-left = This computer has left { $name }
mesh-private-who = Who belongs to it
mesh-private-count = { $count ->
        [1] 1 member
       *[other] { $count } members
    }
mesh-private-unnamed = Without a name
mesh-private-never = not met yet
mesh-private-seen = seen: { $when }
mesh-private-admin = Admin
mesh-private-member = Member
mesh-private-is-out = Put out
mesh-private-as-founder = You have the founder's key: you invite, put out, and make admins.
mesh-private-as-admin = You are an admin: you invite, and put out members.
mesh-private-as-member = You are a member. Its admins invite others.
mesh-private-invite = Invite
mesh-private-invite-hint = A line to paste on the other computer, or to read with its camera. This one must be on meanwhile.
mesh-private-uses = For how many computers
mesh-private-for = For how long
mesh-private-hour = 1 hour
mesh-private-day = 1 day
mesh-private-week = 1 week
mesh-private-make = Make an invite
mesh-private-take-back = Take all back
mesh-private-taken-back = { $count ->
        [1] 1 open invite was taken back
       *[other] { $count } open invites were taken back
    }
mesh-private-good = { $uses ->
        [1] For 1 computer, until { $until }. Whoever has the line can join.
       *[other] For { $uses } computers, until { $until }. Whoever has the line can join.
    }
mesh-private-invite-again = Invite again
mesh-private-good-again = For { $name } alone, until { $until }.
mesh-private-put-out = Put out
mesh-private-out-title = Put { $name } out?
mesh-private-out-text = They are cut off everywhere within seconds, for ever. Only the founder's key can let them in again.
mesh-private-keep-in = Keep them in
mesh-private-make-admin = Make admin
mesh-private-admin-title = Make { $name } an admin?
mesh-private-admin-text = Admins invite others and put out members. Only you can take that back, by putting them out.
mesh-private-not-now = Not now
mesh-private-leave = Leave
mesh-private-leave-title = Leave { $name }?
mesh-private-leave-text = This computer goes back to the open mesh. To come back it needs a new invite.
mesh-private-leave-key = The founder's key is here and goes too. Without it nobody can make admins any more. Save it first.
mesh-private-leave-kept = This computer goes back to the open mesh, and the founder's key goes with it. You saved a copy: it brings you back.
mesh-private-stay = Stay
mesh-private-key = The founder's key
mesh-private-key-here = It rules the mesh and is on this computer. Save a copy off line, such as on a USB stick.
mesh-private-key-away = Whoever founded a mesh can bring its key back from the file.
mesh-private-export = Save the key...
mesh-private-export-title = Where the founder's key goes
mesh-private-move = Keep it off line...
mesh-private-move-title = Keep the founder's key off line?
mesh-private-move-text = The key is then in a file alone, and not on this computer. It stays an admin. To make admins, or to let somebody in again, the file is needed.
mesh-private-restore = Use a saved key...
mesh-private-restore-title = The file of the founder's key
mesh-private-not-done = That was not done
