//! Tables of the pages, from their columns: each has a head and knows its cell of an item.

/// A column of a table of `T`s.
pub struct Column<'a, T> {
    head: &'a str,
    rule: &'static str,
    cell: Box<dyn Fn(&T) -> String + 'a>,
}

impl<'a, T> Column<'a, T> {
    /// Cells that are read as words, at the left.
    pub fn words(head: &'a str, cell: impl Fn(&T) -> String + 'a) -> Self {
        Self {
            head,
            rule: "---|",
            cell: Box::new(cell),
        }
    }

    /// Cells that are compared as figures, at the right.
    pub fn figures(head: &'a str, cell: impl Fn(&T) -> String + 'a) -> Self {
        Self {
            rule: "---:|",
            ..Self::words(head, cell)
        }
    }
}

/// The heads, and a line for each item; ends with a line break.
#[must_use]
pub fn table<T>(columns: &[Column<'_, T>], items: &[T]) -> String {
    let rules: String = columns.iter().map(|column| column.rule).collect();
    let head = head(columns);
    let lines = items.iter().map(|item| line(columns, item) + "\n");
    format!("{head}\n|{rules}\n{}", lines.collect::<String>())
}

fn head<T>(columns: &[Column<'_, T>]) -> String {
    joined(columns.iter().map(|column| column.head.to_owned()))
}

/// The line of one item, without a line break.
fn line<T>(columns: &[Column<'_, T>], item: &T) -> String {
    joined(columns.iter().map(|column| (column.cell)(item)))
}

fn joined(cells: impl Iterator<Item = String>) -> String {
    let cells = cells.map(|cell| {
        if cell.is_empty() {
            " |".to_owned()
        } else {
            format!(" {cell} |")
        }
    });
    format!("|{}", cells.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_column_for_each_head_and_a_line_for_each_item() {
        type Item = (&'static str, Option<u32>);
        let unit = "s";
        let columns = [
            Column::words("what", |item: &Item| item.0.to_owned()),
            Column::figures("ours", |item: &Item| {
                let figure = item.1.map(|figure| format!("{figure}{unit}"));
                figure.unwrap_or_default()
            }),
            Column::words("", |_| "ok".to_owned()),
        ];
        assert_eq!(
            table(&columns, &[("one", Some(7)), ("two", None)]),
            "| what | ours | |\n|---|---:|---|\n| one | 7s | ok |\n| two | | ok |\n"
        );
    }

    #[test]
    fn without_items_the_heads_stay() {
        let columns = [Column::words("what", |item: &String| item.clone())];
        assert_eq!(table(&columns, &[]), "| what |\n|---|\n");
    }
}
