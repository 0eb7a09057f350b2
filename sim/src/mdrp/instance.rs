//! An instance of the Meal Delivery Routing Problem: five small text files, read with errors that name the line.
//!
//! Format and rules: D. Reyes, A. Erera, M. Savelsbergh, S. Sahasrabudhe, R. O'Neil, "The Meal Delivery Routing
//! Problem: The Grubhub Instances" (2018). Times are whole minutes from the start of the day, places metres in a plane.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A point of the plane, in metres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// To the east.
    pub x: i32,
    /// To the north.
    pub y: i32,
}

/// A customer's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceOrder {
    /// As in the file.
    pub name: String,
    /// Where the customer is.
    pub at: Point,
    /// Minutes from the start of the instance.
    pub placed: u32,
    /// Index of the restaurant.
    pub restaurant: usize,
    /// Minutes from the start of the instance.
    pub ready: u32,
}

/// A driver's shift ("courier" in the literature).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Courier {
    /// As in the file.
    pub name: String,
    /// Where the shift begins.
    pub at: Point,
    /// Minutes from the start of the instance.
    pub on: u32,
    /// Minutes: no pickup after that.
    pub off: u32,
}

/// A restaurant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restaurant {
    /// As in the file.
    pub name: String,
    /// Position in degrees.
    pub at: Point,
}

/// The numbers that hold for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// Speed in metres a minute.
    pub metres_per_minute: u32,
    /// Minutes at a restaurant, half before the pickup.
    pub pickup_service: u32,
    /// Minutes at a customer, half before the dropoff.
    pub dropoff_service: u32,
    /// Minutes from click to door that are aimed at.
    pub target: u32,
    /// Minutes from click to door that must not be passed.
    pub maximum: u32,
    /// Dollars for each order delivered.
    pub pay_per_order: u32,
    /// Dollars for each hour on duty, at least.
    pub pay_per_hour: u32,
}

/// One day of one city.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The folder's name.
    pub name: String,
    /// By name's number.
    pub orders: Vec<InstanceOrder>,
    /// In the order of the file.
    pub couriers: Vec<Courier>,
    /// In the order of the file.
    pub restaurants: Vec<Restaurant>,
    /// For all.
    pub parameters: Parameters,
}

/// Why an instance cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file, as it was named.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not as it must be.
    #[error("{}, line {line}: {what}", path.display())]
    Line {
        /// Of which file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What was expected.
        what: String,
    },
}

/// One table: the header, and rows with their line numbers.
struct Table {
    path: PathBuf,
    columns: BTreeMap<String, usize>,
    rows: Vec<(usize, Vec<String>)>,
}

impl Table {
    fn read(folder: &Path, file: &str) -> Result<Self, InstanceError> {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).map_err(|source| InstanceError::Unreadable {
            path: path.clone(),
            source,
        })?;
        let mut lines = text.lines().enumerate();
        let header = lines.next().map_or("", |(_, header)| header);
        let columns: BTreeMap<String, usize> = header
            .split('\t')
            .enumerate()
            .map(|(index, name)| (name.trim().to_owned(), index))
            .collect();
        let rows = lines
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(index, line)| {
                (
                    index + 1,
                    line.split('\t')
                        .map(|field| field.trim().to_owned())
                        .collect(),
                )
            })
            .collect();
        Ok(Self {
            path,
            columns,
            rows,
        })
    }

    fn error(&self, line: usize, what: String) -> InstanceError {
        InstanceError::Line {
            path: self.path.clone(),
            line,
            what,
        }
    }

    fn text<'a>(
        &self,
        row: &'a (usize, Vec<String>),
        column: &str,
    ) -> Result<&'a str, InstanceError> {
        let index = self.columns.get(column);
        let index = index.ok_or_else(|| self.error(1, format!("no column {column:?}")))?;
        let field = row.1.get(*index);
        field
            .map(String::as_str)
            .ok_or_else(|| self.error(row.0, format!("no value in column {column:?}")))
    }

    /// A whole number; `1.0` counts as one.
    fn number<T: TryFrom<i64>>(
        &self,
        row: &(usize, Vec<String>),
        column: &str,
    ) -> Result<T, InstanceError> {
        let text = self.text(row, column)?;
        let whole = text.strip_suffix(".0").unwrap_or(text);
        let number = whole
            .parse::<i64>()
            .ok()
            .and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| {
            self.error(
                row.0,
                format!("{column} is {text:?}, not a whole number in range"),
            )
        })
    }

    fn point(&self, row: &(usize, Vec<String>)) -> Result<Point, InstanceError> {
        /// The plane is mapped to degrees near the equator; a continent fits.
        const METRES_MAX: i32 = 5_000_000;
        let point = Point {
            x: self.number(row, "x")?,
            y: self.number(row, "y")?,
        };
        if point.x.abs() > METRES_MAX || point.y.abs() > METRES_MAX {
            return Err(self.error(
                row.0,
                format!("a place more than {METRES_MAX} m from the origin"),
            ));
        }
        Ok(point)
    }
}

impl Instance {
    /// Reads the files of one folder.
    ///
    /// # Errors
    /// Names the file and line that is missing or is not as the format says.
    pub fn read(folder: &Path) -> Result<Self, InstanceError> {
        let table = Table::read(folder, "restaurants.txt")?;
        let mut restaurants = Vec::with_capacity(table.rows.len());
        let mut by_name = BTreeMap::new();
        for row in &table.rows {
            let name = table.text(row, "restaurant")?.to_owned();
            by_name.insert(name.clone(), restaurants.len());
            restaurants.push(Restaurant {
                name,
                at: table.point(row)?,
            });
        }
        Ok(Self {
            name: folder
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            orders: orders(folder, &by_name)?,
            couriers: couriers(folder)?,
            restaurants,
            parameters: parameters(folder)?,
        })
    }
}

fn orders(
    folder: &Path,
    restaurants: &BTreeMap<String, usize>,
) -> Result<Vec<InstanceOrder>, InstanceError> {
    let table = Table::read(folder, "orders.txt")?;
    let mut orders = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let restaurant = table.text(row, "restaurant")?;
        let Some(&restaurant) = restaurants.get(restaurant) else {
            return Err(table.error(row.0, format!("unknown restaurant {restaurant:?}")));
        };
        let order = InstanceOrder {
            name: table.text(row, "order")?.to_owned(),
            at: table.point(row)?,
            placed: table.number(row, "placement_time")?,
            restaurant,
            ready: table.number(row, "ready_time")?,
        };
        if order.ready < order.placed {
            return Err(table.error(
                row.0,
                format!("ready at {}, before it is placed", order.ready),
            ));
        }
        orders.push(order);
    }
    Ok(orders)
}

fn couriers(folder: &Path) -> Result<Vec<Courier>, InstanceError> {
    let table = Table::read(folder, "couriers.txt")?;
    let mut couriers = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let courier = Courier {
            name: table.text(row, "courier")?.to_owned(),
            at: table.point(row)?,
            on: table.number(row, "on_time")?,
            off: table.number(row, "off_time")?,
        };
        if courier.off < courier.on {
            return Err(table.error(
                row.0,
                format!("off duty at {}, before on duty", courier.off),
            ));
        }
        couriers.push(courier);
    }
    Ok(couriers)
}

fn parameters(folder: &Path) -> Result<Parameters, InstanceError> {
    let table = Table::read(folder, "instance_parameters.txt")?;
    let Some(row) = table.rows.first() else {
        return Err(table.error(2, "no parameters".to_owned()));
    };
    let parameters = Parameters {
        metres_per_minute: table.number(row, "meters_per_minute")?,
        pickup_service: table.number(row, "pickup service minutes")?,
        dropoff_service: table.number(row, "dropoff service minutes")?,
        target: table.number(row, "target click-to-door")?,
        maximum: table.number(row, "maximum click-to-door")?,
        pay_per_order: table.number(row, "pay per order")?,
        pay_per_hour: table.number(row, "guaranteed pay per hour")?,
    };
    if parameters.metres_per_minute == 0 {
        return Err(table.error(row.0, "meters_per_minute is 0".to_owned()));
    }
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(orders: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("restaurants.txt", "restaurant\tx\ty\nr1\t10\t20\n"),
            ("orders.txt", orders),
            (
                "couriers.txt",
                "courier\tx\ty\ton_time\toff_time\nc1\t0\t0\t0\t90\n",
            ),
            (
                "instance_parameters.txt",
                "meters_per_minute\tpickup service minutes\tdropoff service minutes\ttarget click-to-door\t\
                 maximum click-to-door\tpay per order\tguaranteed pay per hour\n300\t4\t4\t40\t90\t10\t15\n",
            ),
        ];
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    const HEADER: &str = "order\tx\ty\tplacement_time\trestaurant\tready_time\n";

    #[test]
    fn a_good_one_is_read() {
        let folder = folder(&format!("{HEADER}o1\t5\t6\t100\tr1\t110\n"));
        let instance = Instance::read(folder.path()).unwrap();
        assert_eq!(instance.orders[0].ready, 110);
        assert_eq!(instance.couriers[0].off, 90);
        assert_eq!(instance.parameters.metres_per_minute, 300);
    }

    #[test]
    fn errors_name_file_and_line() {
        for (row, wanted) in [
            (
                "o1\t5\t6\t100\tr2\t110",
                "orders.txt, line 2: unknown restaurant \"r2\"",
            ),
            (
                "o1\t5\tsix\t100\tr1\t110",
                "orders.txt, line 2: y is \"six\"",
            ),
            ("o1\t5\t6\t100\tr1\t90", "orders.txt, line 2: ready at 90"),
            ("o1\t5\t6", "orders.txt, line 2: no value in column"),
            (
                "o1\t99999999\t6\t100\tr1\t110",
                "orders.txt, line 2: a place more than",
            ),
        ] {
            let folder = folder(&format!("{HEADER}{row}\n"));
            let error = Instance::read(folder.path()).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
        let empty = tempfile::tempdir().unwrap();
        let error = Instance::read(empty.path()).unwrap_err().to_string();
        assert!(error.contains("restaurants.txt"), "{error}");
    }
}
