# What screens that ask the mesh have in common: files, and why there is no answer.

asking-name-a-file = Type a path
asking-path-hint = /home/mei/cat.jpg
asking-no-dialogs = This system has no file dialog. Type the path here.
asking-browse = Browse
asking-add = Add
asking-save = Save
asking-saved-as = Saved as { $path }
asking-unsaved = { $path } cannot be written
asking-remove = Remove
asking-stop = Stop
asking-again = Try again
asking-clear = Clear
asking-pasted-picture = Pasted picture
asking-nothing-pasted = The clipboard holds no file and no picture
asking-nothing-pasted-hint = Copy a picture, or a file in the file manager. Some systems keep the clipboard to themselves: choose the file instead.
asking-by = { $who }·{ $time }
asking-bad-input = Whoever looked at it says that the file is broken.
asking-nobody = Nobody offers this now. Turn it on under Offer, or on another computer.
asking-peer-failed = Whoever tried it failed. Another try may reach somebody else.
asking-refused = The owner of that node does not let you. Ask them to add you.
asking-timed-out = No answer in time. The nodes may be busy.
