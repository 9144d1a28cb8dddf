extension Language {
  /// The language's rules, for the people who type it; `Parser` is the same as code.
  public static let page = """
    A line is a verb and its words:  load Samples/news-1.csv --sample 100

    Words
      Blanks part words; tabs and the hard blanks of slides are blanks too.
      A quote opens only where a word begins, or behind an option's = sign, so
      Chipmaker's, players' and 27" need nothing.
      "two words"    goes on to the next such quote, over lines if need be. In it
                     \\" is a quote, \\\\ a backslash, \\$ a dollar sign. Curly quotes
                     pair in the same way.
      'two words'    the same on one line, and nothing in it is replaced. One that
                     never closes is an apostrophe: 'tis the season.
      \\              takes the meaning from the quote, blank, $, #, brace or backslash
                     behind it; at a line's end it joins the next line.
      —sample 5      what a slide made of --sample 5 is that again; a minus sign
                     before a digit is a hyphen.
      "-5"           in quotes a word is a value, never an option.
      # a comment    only at the start of a line: the #1 hit is text.
      classify, note, set, tokens and embed take the rest of the line as it is;
                     behind -- all of it is text: classify -- --model is a flag
      --json --csv --markdown  as a line's last word give the answer so; a document
                     has it drawn.

    Variables
      set NAME VALUE gives a value a name; set alone lists them.
      $name  ${name}  stand for the value.
      $kpi.accuracy   stands for a part of a verb's last answer, by its name in
                      --json; of a verb with subcommands, of the last of them.
                      Braces take hyphens too: ${kpi.readers.desk-2.accuracy}
      A name that nobody set stays as it is typed: $500.

    Blocks
      for n in 25 50 100 {
        load Samples/news-1.csv --sample $n --name part-$n
      }
      sets $n to each value in turn and runs the lines. A brace stands alone,
      with blanks or line ends around it. Blocks may stand in blocks.

    Claims
      expect $kpi.accuracy >= 0.7
      fails, with both values, unless it holds: == != < <= > >= between two words;
      numbers may be sums and products with blanks around + - * /.

    Scripts
      run FILE runs a file of such lines, or the commands of a Markdown document.
      The first failure stops it and names file, line and column. In a text that
      has lines with fettle> before them only these are run.
    """
}
