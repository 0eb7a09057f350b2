//! Restaurants, orders, money and people: the control plane.
