//! Turn restrictions on drawn maps.

use super::*;

/// 1 comes from a to b, 2 leads on to c, 3 down to d.
fn fork() -> Sketch {
    Sketch::new("a b c\n\n  d")
        .way(1, "ab", STREET)
        .way(2, "bc", STREET)
        .way(3, "bd", STREET)
}

/// Two roads with a piece of road between them: 1 over b, 2 over c, 3 from b to c; 4 leads down from b.
fn ladder() -> Sketch {
    Sketch::new("a b g\n\n  x\n\nd c f")
        .way(1, "ab", STREET)
        .way(2, "bg", STREET)
        .way(3, "bxc", STREET)
        .way(4, "dc", STREET)
        .way(5, "cf", STREET)
}

#[test]
fn turn_restrictions_find_their_edges() {
    let map = fork()
        .restriction(1, 'b', 3, "no_right_turn")
        .restriction(2, 'b', 2, "no_u_turn")
        .restriction(3, 'b', 1, "only_left_turn")
        .restriction(1, 'b', 99, "no_left_turn")
        .read();
    assert_eq!(
        map.forbidden(Profile::Car),
        ["ab bd", "cb bc", "db bc", "db bd"]
    );
    assert_eq!(map.forbidden(Profile::Foot), [""; 0]);
    assert_eq!(
        map.dropped("restriction", "roads are not in the network"),
        1
    );
    assert_eq!(map.report.restrictions, 3);
}

#[test]
fn a_restriction_is_for_the_vehicles_it_names() {
    let members = [
        ("from", MEMBER_WAY, 1),
        ("via", MEMBER_NODE, i64::from(u32::from('b'))),
        ("to", MEMBER_WAY, 3),
    ];
    let map = fork()
        .restrict(
            &members,
            &[("restriction", "no_right_turn"), ("except", "bicycle")],
        )
        .read();
    assert_eq!(map.forbidden(Profile::Scooter), ["ab bd"]);
    assert_eq!(map.forbidden(Profile::Bicycle), [""; 0]);
    let bicycles = fork()
        .restrict(&members, &[("restriction:bicycle", "no_right_turn")])
        .read();
    assert_eq!(bicycles.forbidden(Profile::Car), [""; 0]);
    assert_eq!(bicycles.forbidden(Profile::Bicycle), ["ab bd"]);
    let lorries = fork()
        .restrict(&members, &[("restriction:hgv", "no_right_turn")])
        .read();
    assert_eq!(lorries.dropped("restriction", "other vehicles"), 1);
    let rush_hour = [(
        "restriction:conditional",
        "no_right_turn @ (Mo-Fr 07:00-09:00)",
    )];
    let conditional = fork().restrict(&members, &rush_hour).read();
    assert_eq!(conditional.dropped("restriction", "certain hours"), 1);
    assert_eq!(conditional.report.dropped[0].examples, ["r1"]);
}

#[test]
fn no_entry_is_forbidden_from_each_of_its_ways() {
    let via = ("via", MEMBER_NODE, i64::from(u32::from('b')));
    let members = [
        ("from", MEMBER_WAY, 1),
        ("from", MEMBER_WAY, 2),
        via,
        ("to", MEMBER_WAY, 3),
    ];
    let map = fork()
        .restrict(&members, &[("restriction", "no_entry")])
        .read();
    assert_eq!(map.forbidden(Profile::Car), ["ab bd", "cb bd"]);
}

#[test]
fn a_restriction_keeps_its_node_and_names_the_way_next_to_it() {
    // Without the restriction b would be joined over: the turn back at b needs it. Ways 2 and 3 are joined over c.
    let map = Sketch::new("a b c d")
        .way(1, "ab", STREET)
        .way(2, "bc", STREET)
        .way(3, "cd", STREET)
        .restriction(1, 'b', 1, "no_u_turn")
        .restriction(2, 'b', 1, "no_straight_on")
        .read();
    assert_eq!(map.edges(Profile::Car), ["ab", "ba", "bcd", "dcb"]);
    assert_eq!(map.forbidden(Profile::Car), ["ab ba", "dcb ba"]);
}

#[test]
fn a_restriction_whose_way_runs_past_its_node_is_unclear() {
    let map = Sketch::new("a b c\n\n  d")
        .way(1, "abc", STREET)
        .way(3, "bd", STREET)
        .restriction(1, 'b', 3, "no_right_turn")
        .read();
    assert_eq!(map.forbidden(Profile::Car), [""; 0]);
    assert_eq!(map.dropped("restriction", "direction unclear"), 1);
}

#[test]
fn a_restriction_over_a_way_forbids_the_whole_path_only() {
    let map = ladder().long_restriction(1, &[3], 4, "no_u_turn").read();
    assert_eq!(map.forbidden(Profile::Car), ["ab bxc cd"]);
}

#[test]
fn a_way_between_is_followed_over_all_its_edges_and_over_the_next_way() {
    // A lane meets way 3 at x; then way 3 is drawn as two, one of them the other way round.
    let lane = &[("highway", "service")];
    let cut = || Sketch::new("a b g\n\n  x y\n\nd c f").way(6, "xy", lane);
    let ends = |sketch: Sketch| {
        sketch
            .way(1, "ab", STREET)
            .way(2, "bg", STREET)
            .way(4, "dc", STREET)
            .way(5, "cf", STREET)
    };
    let one = ends(cut())
        .way(3, "bxc", STREET)
        .long_restriction(1, &[3], 4, "no_u_turn")
        .read();
    assert_eq!(one.forbidden(Profile::Car), ["ab bx xc cd"]);
    let two = ends(cut())
        .way(3, "bx", STREET)
        .way(7, "cx", STREET)
        .long_restriction(1, &[3, 7], 4, "no_u_turn")
        .read();
    assert_eq!(two.forbidden(Profile::Car), ["ab bx xc cd"]);
    let wrong_order = ends(cut())
        .way(3, "bx", STREET)
        .way(7, "cx", STREET)
        .long_restriction(1, &[7, 3], 4, "no_u_turn")
        .read();
    assert_eq!(wrong_order.dropped("restriction", "do not meet"), 1);
}

#[test]
fn a_command_over_a_way_forbids_all_other_ends() {
    let map = ladder()
        .long_restriction(1, &[3], 5, "only_straight_on")
        .read();
    assert_eq!(map.forbidden(Profile::Car), ["ab bxc cd", "ab bxc cxb"]);
}

#[test]
fn a_restriction_for_nobody_who_may_drive_there_is_counted() {
    let path = &[("highway", "path")];
    let map = Sketch::new("a b c\n\n  d")
        .way(1, "ab", path)
        .way(2, "bc", STREET)
        .way(3, "bd", STREET)
        .restrict(
            &[
                ("from", MEMBER_WAY, 1),
                ("via", MEMBER_NODE, i64::from(u32::from('b'))),
                ("to", MEMBER_WAY, 3),
            ],
            &[("restriction:motorcar", "no_right_turn")],
        )
        .read();
    assert_eq!(map.forbidden(Profile::Car), [""; 0]);
    assert_eq!(map.dropped("restriction", "none of the vehicles"), 1);
}
