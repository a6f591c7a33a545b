# What commands print.

## Help and wrong usage: in English clap says it

cli-help-commands = Commands
cli-help-options = Options
cli-help-arguments = Arguments
cli-help-common = Options of every command
cli-help-usage = Usage:
cli-help-help = Print help
cli-help-version = Print version
cli-help-template =
    {"{about-with-newline}"}
    Usage: {"{usage}"}

    {"{all-args}{after-help}"}
cli-help-default = {" "}[default: { $value }]
cli-help-variable = {" "}[env: { $name }]
cli-usage-unknown = error: unexpected argument { $arg }
cli-usage-no-command = error: there is no command { $name }
cli-usage-missing = error: these are missing: { $args }
cli-usage-conflict = error: { $arg } cannot be used with { $other }
cli-usage-no-value = error: { $arg } needs a value
cli-usage-value = error: { $value } is no value for { $arg }: { $why }
cli-usage-suggested = Was { $text } meant?
cli-usage-more = For more, try --help.

## up

cli-stopped = stopped
cli-up = { $name } ({ $id }) is up
cli-up-id = id      { $id }
cli-up-offers = offers  { $what } on { $device }
cli-up-offers-rate = offers  { $what } on { $device }, { $rate } a second
cli-up-with = { $capability } with { $engine }
cli-up-nothing = offers  nothing
cli-up-cannot = cannot offer { $capability }: { $why }
cli-up-listens = listens { $address }
cli-up-stop = Ctrl-C stops it.
cli-came = + { $name } ({ $id }) is here
cli-went = - { $name } ({ $id }) { $why }
cli-clone = ! another node uses this node's identity. Delete identity.key in the data folder of one of them and start it again
cli-clone-at = ! another node uses this node's identity at { $address }. Delete identity.key in the data folder of one of them and start it again

## peers, capabilities, id

cli-nobody = Nobody else is here. `potluck doctor` says why
cli-head-name = name
cli-head-id = id
cli-head-connected = connected
cli-head-round-trip = round trip
cli-head-offers = offers
cli-not-answering = not answering
cli-yes = yes
cli-no = no
cli-on-demand = on demand
cli-through-entry = through an entry node
cli-ms = { $time } ms
cli-nobody-offers = Nobody here offers anything
cli-head-capability = capability
cli-head-node = node
cli-head-device = device
cli-head-engine = engine
cli-head-speed = speed
cli-head-queue = queue
cli-head-models = models
cli-this-node = { $name } (this node)
cli-per-second = { $rate }/s
cli-running = running
cli-not-running = not running; `potluck up` starts it
cli-id =
    { $id }
    {"  "}name         { $name }
    {"  "}fingerprint  { $fingerprint }
    {"  "}words        { $words }
    {"  "}data folder  { $folder }
    {"  "}node         { $running }

## recognize, faces

cli-recognized = by { $name } in { $time } ms ({ $model }, { $engine }, { $device })
cli-not-recognized = not recognised: { $why }
cli-not-looked-at = not looked at: { $why }
cli-no-face = No face in the picture
cli-faces-by = by { $name } in { $time } ms
cli-faces-cloud = by { $name } through Face++ in { $time } ms
cli-annotated = annotated: { $path }
cli-not-annotated = not annotated: { $why }
cli-male = male
cli-female = female
cli-sure = { $what } ({ $percent } %)
cli-about-years = about { $years }
cli-beauty = beauty score { $men } (men), { $women } (women)
cli-face-at = at { $x },{ $y } of { $width }x{ $height }
cli-comma = ,{" "}
cli-smiling = smiling
cli-not-smiling = not smiling
cli-glasses = glasses
cli-sunglasses = sunglasses
cli-mood = { $name }

## analyze, table, call

cli-analyzed = { $rows ->
        [1] 1 row
       *[other] { $rows } rows
    }, { $columns ->
        [1] 1 column
       *[other] { $columns } columns
    }; by { $name } in { $time } ms
cli-more-alerts = {"."}.. { $more } more in the report
cli-charts-in = { $charts ->
        [1] 1 chart
       *[other] { $charts } charts
    } and the numbers in { $folder }
cli-open-page = open { $page }
cli-table = { $path }: { $rows } rows, { $columns } columns
cli-compared = { $first } rows, then { $second }; { $columns ->
        [1] 1 column
       *[other] { $columns } columns
    } in both, { $changed } of another type
cli-reading = reading
cli-bytes-in = { $bytes } bytes in { $path }
cli-bytes-with = with { $bytes } bytes of data: -o FILE keeps them
cli-no-data = no data came with it

## send, inbox, outbox, contacts

cli-sealing = sealing
cli-sending = sending
cli-deleted = deleted
cli-taken-back = taken back
cli-rests = rests
cli-rests-until = rests (--resume { $id })
cli-goes-on = goes on
cli-no-files = There are no files in this letter
cli-nothing-sent = Nothing was sent yet; `potluck send` does it
cli-no-letters = No letters
cli-nobody-met = Nobody was met yet
cli-head-to = to
cli-head-from = from
cli-head-letter = id
cli-head-written = written
cli-head-state = state
cli-head-what = what
cli-head-fingerprint = fingerprint
cli-head-letters = letters
cli-head-last-seen = last seen
cli-head-client-id = client id
cli-new-key = new key
cli-of = { $part } of { $whole }
cli-arriving = arriving
cli-not-believed = not believed
cli-new-stranger = new, from a stranger
cli-new = new
cli-being-opened = (being opened)
cli-letter-came = letter { $id } from { $from }: { $what }
cli-letter-came-stranger = letter { $id } from { $from }, from a stranger: { $what }
cli-letter-not-believed = letter { $id } from { $from }not believed: { $what }
cli-you-to = you to { $name }
cli-letter-from = from { $name } ({ $id }), { $time }
cli-letter-trouble = This letter is not to be believed: { $why }
cli-letter-stranger = You never wrote to this person.
cli-folder = folder
cli-bytes = { $bytes } bytes
cli-listed = { $path } ({ $size })
cli-and-more = and { $more } more
cli-how-to-save = `potluck inbox { $id } --save DIR` saves the files
cli-delivered-to = delivered to { $name }
cli-held-away = { $name } is not here; held by { $keepers }
cli-waits-why = it waits in your outbox while `potluck up` runs; { $why }
cli-waits = { $name } is not here, and nobody else keeps mail: it waits in your outbox while `potluck up` runs
cli-going-out = going out, { $part } of { $whole }
cli-queued = queued
cli-queued-why = queued ({ $why })
cli-held-by = held by { $keepers }
cli-delivered = delivered
cli-read = read
cli-refused = refused (--resend { $id })
cli-refused-why = refused: { $why } (--resend { $id })
cli-expired = expired (--resend { $id })
cli-expired-why = expired: { $why } (--resend { $id })
cli-files = { $count ->
        [1] 1 file
       *[other] { $count } files
    }

## models, engine, doctor

cli-head-for = for
cli-head-size = size
cli-head-licence = licence
cli-head-source = source
cli-default = { $name } (default)
cli-for-faces = faces
cli-for-recognize = recognize
cli-trying = trying the model
cli-removed = { $name } was removed; a node that runs uses it until it is started again
cli-use-faces = Use it with [faces] model = "{ $name }" in config.toml
cli-use-recognize = Use it with: potluck recognize --model { $name } IMAGE
cli-added = { $name } was added ({ $size }). { $how }
cli-engine = { $engine } on { $device }, { $threads } threads
cli-engine-from = from { $path }
cli-engine-looked = looked in { $place }: { $result }
cli-engine-install = `potluck engine install` brings ONNX Runtime, which is four to five times faster
cli-engine-at = ONNX Runtime { $version } is at { $path }. Nodes use it from their next start
cli-looking = looking around
cli-ok = ok{"  "}
cli-hint = hint

## --explain

cli-route-none = route: nobody was tried
cli-route = route { $number }: { $name } (expected in { $expected } ms) { $outcome } after { $time } ms
cli-route-hedge = route { $number }: { $name } (expected in { $expected } ms, a further copy) { $outcome } after { $time } ms
cli-outcome = { $outcome }
cli-colon = :{" "}

## demo

cli-demo-start = Three nodes start on this machine: mei asks, gpu-box and laptop can recognise pictures, laptop also finds faces, analyses tables and keeps letters.
cli-demo-chat = The chat robot answers, and echoes what it does not know:
cli-demo-face = laptop looks for a face, and guesses gender and age:
cli-demo-table = laptop makes a report of a table, with charts and a word cloud:
cli-demo-pictures = mei has no model. gpu-box recognises the pictures for her:
cli-demo-again = Once more, many at a time. In the middle of the work laptop begins to offer recognition too, and gpu-box is switched off:
cli-demo-done =
    Every picture has its answer. { $moved } of { $all } moved to laptop when gpu-box died.
    Now start a node on each machine:  potluck up
cli-demo-by = (by { $name })
cli-demo-by-in = (by { $name } in { $time } ms)
cli-demo-report = { $table }: { $rows } rows, { $columns } columns, { $charts } charts  (by { $name } in { $time } ms)
cli-demo-letter = ben writes to ann, whose machine is off:
cli-demo-held = sealed, and held by { $keeper }, which cannot read it. Now ben leaves, and ann comes back:
cli-demo-came = from { $name }: { $text } (with { $file }, { $bytes } bytes)
cli-head-picture = picture
cli-head-shows = what it shows
cli-head-sure = sure
cli-head-served-by = served by
cli-head-tried = tried before
cli-head-time = time
cli-tried = { $name } ({ $outcome })
cli-contact-added = { $id } is a contact
cli-contact-renamed = renamed
cli-words-of = { $name }
cli-words-of-you = you
cli-compare = Read yours to each other, where you know each other's voice or face. If both see the same words,
    it is them; if not, it is somebody else.
cli-contact-removed = no contact any more
cli-blocked = blocked: their node is not let in, their letters are not taken
cli-unblocked = not blocked any more
cli-blocked-are = blocked: { $names }
cli-head-who = who may use it
cli-everyone = everyone
cli-nobody-else = nobody but this node
cli-contacts-may = contacts ({ $count })
cli-head-each = for each peer
cli-at-once = { $most } at once
cli-per-minute = { $most } a minute
cli-per-day = { $most } a day
cli-no-limit = no limit
cli-man-pages = manual pages in { $folder }

## mesh

cli-mesh-created =
    the private mesh { $name } is there, and this node is its first admin. { $then }
    Let others in with `potluck mesh invite`; keep the founder's key off line with `potluck mesh export FILE`.
cli-mesh-joined = this node is a member of the private mesh { $name } now. { $then }
cli-mesh-entered = The node that runs here enters it.
cli-mesh-enters = `potluck up` enters it.
cli-mesh-revoked =
    { $who } is out, for ever; whoever is connected to it hangs up{ $stay ->
        [0] .
        [1] . One member for whom it had signed stays.
       *[other] . { $stay } members for whom it had signed stay.
    }
cli-mesh-promoted = { $who } is an admin now; its node learns it from the others
cli-mesh-left = this node has left the private mesh { $name } and is in the open one again
cli-mesh-key-kept = the founder's key is in { $file }, and still here
cli-mesh-key-moved = the founder's key is in { $file } and nowhere else: do not lose it
cli-mesh-restored = the founder's key of { $name } is here again, and this node is an admin
cli-mesh-open = the open mesh { $name }: whoever is in the same network
cli-mesh-private =
    the private mesh { $name }: { $count ->
        [1] 1 member
       *[other] { $count } members
    }
    { $what }
    id  { $id }
cli-mesh-as-founder = This node has the founder's key.
cli-mesh-as-admin = This node is an admin.
cli-mesh-as-member = This node is a member.
cli-mesh-taken-back = { $count ->
        [0] no invite was open
        [1] 1 invite taken back
       *[other] { $count } invites taken back
    }
cli-mesh-invite =
    On the other machine:  potluck mesh join 'the line above'
    Good for { $uses ->
        [1] one node
       *[other] { $uses } nodes
    }, until { $until }, as long as this node runs. Whoever sees it can use it.
cli-mesh-me = this node
cli-members-may = members of the private mesh
cli-head-role = role
cli-head-seen = seen last
cli-role-admin = admin
cli-role-member = member
cli-role-revoked = put out
cli-up-moved = this node belongs to another mesh now and starts again
