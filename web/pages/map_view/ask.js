// The questions to the server, in the forms of OSRM and Valhalla.

const COSTINGS = { car: "auto", scooter: "motor_scooter", bicycle: "bicycle", foot: "pedestrian" };

// A way with its line and its steps; null where there is none. An error has the server's words.
export async function askRoute(profile, from, to, signal) {
  const ends = [from, to].map(({ lat, lng }) => `${lng.toFixed(6)},${lat.toFixed(6)}`).join(";");
  const options = "overview=full&geometries=geojson&steps=true&generate_hints=false";
  const response = await fetch(`/route/v1/${profile}/${ends}?${options}`, { signal });
  const answer = await response.json();
  if (answer.code === "NoRoute") return null;
  if (answer.code !== "Ok") throw new Error(answer.message);
  const [way] = answer.routes;
  return {
    seconds: way.duration,
    metres: way.distance,
    line: way.geometry.coordinates,
    steps: way.legs.flatMap((leg) => leg.steps),
  };
}

// Polygons of how far one gets, the farthest first: [{ minutes, polygons }], a polygon being a list of rings.
export async function askReach(profile, from, minutes, signal) {
  const request = {
    locations: [{ lat: from.lat, lon: from.lng }],
    costing: COSTINGS[profile],
    contours: minutes.map((time) => ({ time })),
    polygons: true,
    denoise: 0.05,
  };
  const response = await fetch("/isochrone", { method: "POST", body: JSON.stringify(request), signal });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? answer.message);
  return answer.features.map(({ geometry, properties }) => ({
    minutes: properties.contour,
    polygons: geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates,
  }));
}
