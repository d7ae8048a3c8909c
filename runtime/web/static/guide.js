// The next step, in a sentence: what the person at the microscope does now, and whether this view is counted.

const WHY_LOST = "Place lost: move back to where you were, or go to a place not counted before and press New area.";

// { next, verdict, tone }: `verdict` stands over the picture, or is null; tone: "good", "warn", "quiet".
export function guide(status, goalLabel) {
  const { tally } = status;
  if (status.state === "starting") return { next: "Starting: the first picture comes in a moment.", verdict: null };
  // Paused and full say themselves that nothing is counted.
  if (quiet(status) && ["counting", "refused", "lost"].includes(tally.state)) return {
    next: "Nothing is counted until pictures come again. What was counted before is kept.",
    verdict: "Not counted: no new pictures",
    tone: "warn",
  };
  const advice = failing(status.quality);
  switch (tally.state) {
    case "off": return {
      next: advice ? `${advice} Then start the tally.` : "Start the tally, then move the slide: each cell is counted once.",
      verdict: advice,
      tone: "quiet",
    };
    case "counting": return counting(tally, goalLabel);
    case "refused": return {
      next: "This view is not counted. What was counted before is kept.",
      verdict: `Not counted. ${tally.message ?? advice ?? ""}`.trim(),
      tone: "warn",
    };
    case "lost": return { next: tally.message ?? WHY_LOST, verdict: "Not counted: the place is lost", tone: "warn" };
    case "paused": return {
      next: tally.message ?? "Nothing is counted until you resume.", verdict: "Paused", tone: "quiet",
    };
    default: return {
      next: tally.message ?? "As much as is kept was counted. Finish this tally.", verdict: "Full", tone: "warn",
    };
  }
}

function counting(tally, goalLabel) {
  const enough = tally.progress >= 1;
  const percent = `±${tally.goal_percent} %`;
  return {
    next: enough
      ? `Enough ${goalLabel.toLowerCase()} for ${percent}. Finish, or go on for a narrower interval.`
      : "Move the slide slowly; new cells are counted.",
    verdict: "Counting",
    tone: "good",
  };
}

// No new picture comes.
const quiet = ({ stale, source }) => stale || source.state === "ended";

// What to do about the first check that the picture fails, or null.
function failing(quality) {
  if (!quality || quality.ok) return null;
  const gate = quality.gates.find(({ ok }) => !ok);
  return gate ? gate.advice ?? gate.label : null;
}

export const running = (tally) => tally.state !== "off";
