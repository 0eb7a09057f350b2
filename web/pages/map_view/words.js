// Durations, distances and maneuvers as a reader wants them.

// "under 1 min", "12 min", "1 h 05": whole minutes, rounded.
export function minutes(seconds) {
  const whole = Math.round(seconds / 60);
  if (whole < 1) return "under 1 min";
  if (whole < 60) return `${whole} min`;
  return `${Math.floor(whole / 60)} h ${String(whole % 60).padStart(2, "0")}`;
}

// "80 m", "4.2 km", "31 km".
export function distance(metres) {
  if (metres < 950) return `${Math.max(10, Math.round(metres / 10) * 10)} m`;
  const km = metres / 1000;
  return `${km < 20 ? km.toFixed(1) : Math.round(km)} km`;
}

const ORDINALS = ["", "1st", "2nd", "3rd"];

function ordinal(number) {
  return ORDINALS[number] ?? `${number}th`;
}

// One line of the list: "turn left into Rua do Bolhão".
export function instruction({ name, ref, maneuver }) {
  const road = name || ref || "";
  const onto = road ? ` onto ${road}` : "";
  const { type, modifier, exit } = maneuver;
  switch (type) {
    case "depart":
      return road ? `Start on ${road}` : "Start";
    case "arrive":
      return modifier === "left" || modifier === "right" ? `Arrive, on the ${modifier}` : "Arrive";
    case "roundabout":
      return exit ? `Roundabout: ${ordinal(exit)} exit${onto}` : "Enter the roundabout";
    case "exit roundabout":
      return `Leave the roundabout${onto}`;
    case "new name":
      return road ? `Go on along ${road}` : "Go on";
    case "merge":
      return `Merge${onto}`;
    case "on ramp":
      return `Take the ramp${onto}`;
    case "off ramp":
      return `Take the exit${onto}`;
    case "fork":
      return `Keep ${modifier.replace("slight ", "")}${onto}`;
    default:
      if (modifier === "uturn") return `Turn around${onto}`;
      if (modifier === "straight") return `Go straight on${onto}`;
      return `Turn ${modifier}${onto}`;
  }
}

// Steps as they are read: a roundabout is one, from its entry to the road behind it.
export function readable(steps) {
  const told = [];
  for (const step of steps) {
    const last = told.at(-1);
    const { type } = step.maneuver;
    if (type === "exit roundabout" && last?.maneuver.type === "roundabout" && last.maneuver.exit) {
      told[told.length - 1] = { ...step, maneuver: last.maneuver, distance: last.distance + step.distance };
    } else {
      told.push(step);
    }
  }
  return told;
}

// How far an arrow for a maneuver points to the right of straight ahead, in degrees.
export function arrowAngle({ type, modifier }) {
  if (type === "depart" || type === "arrive" || type === "new name" || type === "merge") return 0;
  const angles = {
    straight: 0, "slight right": 40, right: 90, "sharp right": 135, uturn: 180,
    "slight left": -40, left: -90, "sharp left": -135,
  };
  return angles[modifier] ?? 0;
}

// "41.14960, -8.61100".
export function coordinate({ lat, lng }) {
  return `${lat.toFixed(5)}, ${lng.toFixed(5)}`;
}

// A latitude and a longitude out of what somebody typed; null if it is neither.
export function readCoordinate(text) {
  const numbers = text.split(/[,;\s]+/).filter(Boolean).map(Number);
  if (numbers.length !== 2 || !numbers.every(Number.isFinite)) return null;
  const [lat, lng] = numbers;
  return Math.abs(lat) <= 90 && Math.abs(lng) <= 180 ? { lat, lng } : null;
}
