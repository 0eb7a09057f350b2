// Moves a dot smoothly from where it is seen to where it was last reported.

const GAP_MIN_MS = 250;
const GAP_MAX_MS = 3000;
const GAP_USUAL_MS = 600;

// Farther than this in one step is a jump (a new session, a lost link), not a drive.
const JUMP_M = 3000;

export function newTrack(x, y, now) {
  return { fromX: x, fromY: y, toX: x, toY: y, start: now, gap: GAP_USUAL_MS, reported: now };
}

// A new report: drive there from the place seen now, for as long as reports usually are apart.
export function retarget(track, x, y, now) {
  const seen = positionAt(track, now);
  const jump = Math.hypot(x - seen.x, y - seen.y) > JUMP_M;
  const gap = now - track.reported;
  if (gap >= GAP_MIN_MS && gap <= GAP_MAX_MS) track.gap = 0.6 * track.gap + 0.4 * gap;
  track.fromX = jump ? x : seen.x;
  track.fromY = jump ? y : seen.y;
  track.toX = x;
  track.toY = y;
  track.start = now;
  track.reported = now;
}

export function positionAt(track, now) {
  const part = Math.min(1, Math.max(0, (now - track.start) / track.gap));
  return {
    x: track.fromX + (track.toX - track.fromX) * part,
    y: track.fromY + (track.toY - track.fromY) * part,
  };
}

export function isMoving(track, now) {
  return now < track.start + track.gap && (track.fromX !== track.toX || track.fromY !== track.toY);
}
