// Words of the page of ways.

import assert from "node:assert/strict";
import { test } from "node:test";

import { arrowAngle, distance, instruction, minutes, readCoordinate, readable } from "../words.js";

const step = (type, modifier, name, more = {}) => ({ name, distance: 100, maneuver: { type, modifier, ...more } });

test("durations are whole minutes and distances short", () => {
  assert.equal(minutes(20), "under 1 min");
  assert.equal(minutes(719), "12 min");
  assert.equal(minutes(3900), "1 h 05");
  assert.equal(distance(2), "10 m");
  assert.equal(distance(944), "940 m");
  assert.equal(distance(8440), "8.4 km");
  assert.equal(distance(31200), "31 km");
});

test("maneuvers are sentences", () => {
  assert.equal(instruction(step("turn", "left", "Rua A")), "Turn left onto Rua A");
  assert.equal(instruction(step("continue", "uturn", "")), "Turn around");
  assert.equal(instruction(step("fork", "slight right", "")), "Keep right");
  assert.equal(instruction(step("end of road", "right", "B")), "Turn right onto B");
  assert.equal(instruction(step("new name", "straight", "", { })), "Go on");
  assert.equal(instruction(step("roundabout", "right", "C", { exit: 3 })), "Roundabout: 3rd exit onto C");
  assert.equal(instruction(step("arrive", "left", "C")), "Arrive, on the left");
  assert.equal(arrowAngle({ type: "turn", modifier: "sharp left" }), -135);
});

test("a roundabout is one step", () => {
  const steps = [step("depart", "left", "A"), step("roundabout", "right", "", { exit: 2 }), step("exit roundabout", "right", "B", { exit: 2 })];
  const told = readable(steps);
  assert.equal(told.length, 2);
  assert.equal(instruction(told[1]), "Roundabout: 2nd exit onto B");
  assert.equal(told[1].distance, 200);
});

test("coordinates are read as people type them", () => {
  assert.deepEqual(readCoordinate("41.1, -8.6"), { lat: 41.1, lng: -8.6 });
  assert.deepEqual(readCoordinate("41.1 -8.6"), { lat: 41.1, lng: -8.6 });
  for (const text of ["", "41.1", "91, 0", "a, b", "1, 2, 3"]) assert.equal(readCoordinate(text), null);
});
