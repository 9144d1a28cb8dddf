extension Prompt {
  /// What the keys do at the prompt, for `help keys`.
  public static let keysPage = """
    The keys at the prompt

    Move
      Left Right  Ctrl-B Ctrl-F     a character
      Ctrl- or Alt-Left and -Right  a word; also Alt-B and Alt-F
      Home End  Ctrl-A Ctrl-E       the line's start and end
      Ctrl-Home Ctrl-End            the text's, where it has several lines
      Up Down                       a line, where there are several

    Delete
      Backspace Delete              a character
      Ctrl-W                        back to a blank
      Alt-Backspace Alt-D           a word before, a word behind; also Ctrl-Delete
      Ctrl-U Ctrl-K                 to the line's start, to its end
      Ctrl-Y                        bring back what these deleted
      Ctrl-_                        undo, one change after the other

    Earlier lines
      Up Down  Ctrl-P Ctrl-N        those that begin with what is typed
      Right  End                    take the grey rest of an earlier line
      Ctrl-Right                    take a word of it
      Ctrl-R TEXT                   search; again for the one before
      history [N|TEXT]              list them

    More
      Tab                           complete, or list what fits
      Ctrl-X Ctrl-E                 edit in $VISUAL or $EDITOR
      Ctrl-C                        drop the line; stop what runs
      Ctrl-D                        delete, or leave where the line is empty
      Ctrl-L                        clear the screen; so does clear
      Ctrl-Z                        to the Unix shell; fg comes back

    ~/.editrc binds others (editrc(5)); bind -v there takes the keys of vi.
    ~/.config/fettle/rc has lines that run when the prompt opens: config and set.
    """
}
