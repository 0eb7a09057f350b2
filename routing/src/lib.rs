//! Paths, travel times and matrices on a road network.
