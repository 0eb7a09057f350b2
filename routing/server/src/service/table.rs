//! `/table`: times and distances between many coordinates.

use doorstep_routing::{LatLng, Snap};

use super::{Atlas, check_count, to_json};
use crate::answer::{Rows, TableAnswer, Waypoint, metres, tenths};
use crate::engine::Engine;
use crate::error::{ApiError, Code};
use crate::options::Options;
use crate::url::Request;

pub(super) fn answer(atlas: &Atlas, request: &Request<'_>) -> Result<Vec<u8>, ApiError> {
    let engine = atlas.engines.named(request.profile)?;
    check_count(request, 2, atlas.limits.table_coordinates_max)?;
    let options = &request.options;
    let rows = indices_or_all(&options.sources, request.coordinates.len());
    let columns = indices_or_all(&options.destinations, request.coordinates.len());
    let (cells, most) = (rows.len() * columns.len(), atlas.limits.distance_cells_max);
    if options.cells.distance && cells > most {
        let message = format!("{cells} cells with distances, at most {most} are answered");
        return Err(ApiError::new(Code::TooBig, message));
    }
    let snaps = engine.snap_all(&request.coordinates, options)?;
    let ends = Ends {
        sources: rows.iter().map(|&row| snaps[row]).collect(),
        targets: columns.iter().map(|&column| snaps[column]).collect(),
        columns: &columns,
        rows: &rows,
    };
    let mut table = compute(engine, &ends, options);
    let fallback = options
        .fallback_speed
        .map(|speed| table.fall_back(&ends, &request.coordinates, options, speed));
    let network = engine.router.network();
    let waypoints = |snaps: &[Snap]| {
        let each = snaps.iter();
        (!options.skip_waypoints).then(|| {
            each.map(|snap| Waypoint::of(network, snap, options.generate_hints))
                .collect()
        })
    };
    let columns = columns.len();
    let as_rows = |cells| Rows { cells, columns };
    Ok(to_json(&TableAnswer {
        code: "Ok",
        durations: options.cells.duration.then(|| as_rows(&table.durations)),
        distances: options.cells.distance.then(|| as_rows(&table.distances)),
        fallback_speed_cells: fallback,
        sources: waypoints(&ends.sources),
        destinations: waypoints(&ends.targets),
    }))
}

fn indices_or_all(indices: &[usize], count: usize) -> Vec<usize> {
    if indices.is_empty() {
        (0..count).collect()
    } else {
        indices.to_vec()
    }
}

/// The coordinates of rows and columns, on their roads.
struct Ends<'a> {
    sources: Vec<Snap>,
    targets: Vec<Snap>,
    rows: &'a [usize],
    columns: &'a [usize],
}

/// Seconds and metres, row by row; what was not asked for is empty.
struct Table {
    durations: Vec<Option<f64>>,
    distances: Vec<Option<f64>>,
}

fn compute(engine: &Engine, ends: &Ends<'_>, options: &Options) -> Table {
    let (sources, targets) = (&ends.sources, &ends.targets);
    engine.with_workspace(|workspace| {
        let mut durations = Vec::new();
        if options.cells.duration || options.fallback_speed.is_some() {
            let matrix = engine.router.matrix(workspace, sources, targets);
            durations.reserve_exact(sources.len() * targets.len());
            for row in 0..sources.len() {
                for column in 0..targets.len() {
                    let time = matrix.at(row, column);
                    durations.push(time.map(|time| scaled(time.as_millis(), options.scale_factor)));
                }
            }
        }
        let mut distances = Vec::new();
        if options.cells.distance {
            distances.reserve_exact(sources.len() * targets.len());
            for from in sources {
                for to in targets {
                    let way = engine.router.time_and_distance(workspace, from, to);
                    distances.push(way.map(|(_, distance)| metres(distance)));
                }
            }
        }
        Table {
            durations,
            distances,
        }
    })
}

/// Seconds with one decimal.
fn scaled(millis: u32, factor: f64) -> f64 {
    if factor == 1.0 {
        return tenths(millis.into());
    }
    (f64::from(millis) * factor / 100.0).round() / 10.0
}

impl Table {
    /// Fills the cells without a way from the crow distance; returns which.
    fn fall_back(
        &mut self,
        ends: &Ends<'_>,
        given: &[LatLng],
        options: &Options,
        speed: f64,
    ) -> Vec<[usize; 2]> {
        let mut filled = Vec::new();
        for (row, source) in ends.sources.iter().enumerate() {
            for (column, target) in ends.targets.iter().enumerate() {
                let cell = row * ends.targets.len() + column;
                if self.durations[cell].is_some() {
                    continue;
                }
                let [from, to] = if options.fallback_from_input {
                    [given[ends.rows[row]], given[ends.columns[column]]]
                } else {
                    [source.at(), target.at()]
                };
                let crow = from.crow_distance(to);
                let seconds = crow.as_metres() / speed * options.scale_factor;
                self.durations[cell] = Some((seconds * 10.0).round() / 10.0);
                if let Some(distance) = self.distances.get_mut(cell) {
                    *distance = Some(metres(crow));
                }
                filled.push([row, column]);
            }
        }
        filled
    }
}
