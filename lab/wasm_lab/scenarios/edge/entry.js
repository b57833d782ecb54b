// The module that workerd loads. A worker's own module comes before it; here a rejection that nobody awaits
// is told in the log. In workerd preventDefault() of such an event does nothing, so listeners do not meet.
addEventListener("unhandledrejection", ({ reason }) => {
  const told = reason instanceof Error && typeof reason.stack === "string" ? reason.stack : reason;
  console.error("Uncaught (in promise)", told);
});
