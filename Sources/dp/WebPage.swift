/// A page in one file that needs no network: a table, pictures, and what else there is to say.
struct WebPage {
    let title: String
    /// Names and values of the table.
    let rows: [(String, String)]
    /// SVG pictures.
    let figures: [String]
    /// HTML below them.
    let rest: String

    var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(Self.escaped(title))</title>
        <style>
        :root { color-scheme: light dark; }
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
        pre { padding: 1rem; border: 1px solid #8884; border-radius: 6px; font-size: 0.85rem; white-space: pre-wrap;
          overflow-wrap: anywhere; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        td { padding: 0.2rem 1.5rem 0.2rem 0; vertical-align: top; }
        td:first-child { color: #777; color: light-dark(#666, #999); }
        figure { margin: 1.5rem 0; }
        svg { max-width: 100%; height: auto; }
        svg text { fill: light-dark(#666, #999); }
        /* A picture of 720 units on a telephone: its letters keep their size, and its title says what is drawn. */
        @media (max-width: 40rem) {
          svg text { font-size: 20px; }
          svg .title { font-size: 23px; }
          svg .vertical { display: none; }
          pre { font-size: 0.72rem; padding: 0.6rem; }
        }
        </style>
        </head>
        <body>
        <h1>\(Self.escaped(title))</h1>
        <table>
        \(rows.map { "<tr><td>\(Self.escaped($0))</td><td>\(Self.escaped($1))</td></tr>" }.joined(separator: "\n"))
        </table>
        \(figures.map { "<figure>\n\($0)</figure>" }.joined(separator: "\n"))
        \(rest)
        </body>
        </html>

        """
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
