import Platform

/// A column of a table.
package struct Column: Hashable, Sendable {
    /// The side on which the cells line up.
    package enum Alignment: Sendable { case left, right }

    package let title: String
    package let alignment: Alignment

    package init(_ title: String, _ alignment: Alignment = .left) {
        self.title = title
        self.alignment = alignment
    }
}

/// The cells of one line of a table, as they are: what is unsafe to print is escaped when it is printed.
package struct Row: Hashable, Sendable {
    /// From left to right.
    package let cells: [String]

    package init(_ cells: [String]) { self.cells = cells }
}

/// Rows under their titles.
package struct Table: Sendable {
    private let columns: [Column]
    private let rows: [[String]]

    /// Cells that a row lacks are empty; those beyond the last column are left out.
    package init(_ columns: [Column], _ rows: [Row]) {
        self.columns = columns
        self.rows = rows.map { row in
            columns.indices.map { $0 < row.cells.count ? Quoted(row.cells[$0]).description : "" }
        }
    }

    /// The table, every line ended.
    ///
    /// Columns are as wide as their widest cell. The last one is cut where the screen ends; without a `width`, as in
    /// a pipe, nothing is cut.
    package func text(width: Int?, style: Style = .plain) -> String {
        let titles = columns.map(\.title)
        let lines = [titles] + rows
        let widths = columns.indices.map { index in lines.map { DisplayWidth.of($0[index]) }.max() ?? 0 }
        var text = ""
        for (number, cells) in lines.enumerated() {
            let line = self.line(cells, widths, width)
            text += (number == 0 ? style.paint(line, .heading) : line) + "\n"
        }
        return text
    }

    private func line(_ cells: [String], _ widths: [Int], _ width: Int?) -> String {
        var line = ""
        var used = 0
        for (index, cell) in cells.enumerated() {
            let isLast = index == cells.count - 1
            if isLast, columns[index].alignment == .left {
                let room = width.map { max(8, $0 - used) } ?? .max
                line += DisplayWidth.truncate(cell, to: room)
            } else {
                line += DisplayWidth.pad(cell, to: widths[index], right: columns[index].alignment == .right)
                if !isLast { line += "  " }
            }
            used += widths[index] + 2
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}
