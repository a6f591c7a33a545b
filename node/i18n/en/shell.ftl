# The frame: sidebar, messages, the command line.

shell-potluck = Potluck
shell-ask-the-mesh = Ask the mesh
shell-this-computer = This computer
shell-alone = Alone so far
shell-open-mesh = Open mesh·{ $nodes } nodes
shell-private-mesh = { $name }·{ $nodes } nodes
shell-starting = Starting...
shell-not-running = Not running
shell-starting-long = The node of this computer starts.
shell-cannot-start = The node cannot start
shell-try-again = Try again
shell-node-gone = The node that ran in this data folder has stopped.
shell-clone-here = Another computer uses this node's identity. Messages may go to either of them.
shell-close = Close
shell-back = Back
shell-copy = Copy
shell-copied = Copied
shell-copy-details = Copy details
shell-settings-unsaved = The settings cannot be saved: { $why }
shell-settings-unread = The settings of the window cannot be read and are as new: { $why }
