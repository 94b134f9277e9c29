// Several videos under one control, kept in step: the first leads, and whoever strays is fetched back.

const STRAY = 0.08;
const around = document.getElementById("compare");
if (around) start([...around.querySelectorAll("video")], around.querySelector(".player"));

function start(videos, player) {
  const [leader] = videos;
  const button = player.querySelector("[data-plays]"), seek = player.querySelector("[data-seeks]");
  const time = player.querySelector("[data-time]");
  const longest = () => Math.max(...videos.map((video) => video.duration || 0));
  const clock = () => Math.max(...videos.map((video) => video.currentTime));
  let isPlaying = false, isSeeking = false;
  for (const video of videos) video.controls = false;
  player.hidden = false;

  const draw = () => {
    button.querySelector("span").textContent = isPlaying ? button.dataset.pause : button.dataset.play;
    if (!isSeeking) seek.value = longest() ? (1000 * clock()) / longest() : 0;
    time.textContent = `${clock().toFixed(1)} / ${longest().toFixed(1)} s`;
  };
  const go = (moment) => { for (const video of videos) video.currentTime = Math.min(moment, video.duration || moment); };
  const tick = () => {
    if (!isPlaying) return;
    for (const video of videos) {
      const drift = video.currentTime - leader.currentTime;
      if (!leader.ended && !video.ended && Math.abs(drift) > STRAY) video.currentTime = leader.currentTime;
    }
    if (videos.every((video) => video.ended)) isPlaying = false;
    draw();
    requestAnimationFrame(tick);
  };

  button.addEventListener("click", async () => {
    isPlaying = !isPlaying;
    if (isPlaying) {
      if (videos.every((video) => video.ended)) go(0);
      await Promise.allSettled(videos.filter((video) => !video.ended).map((video) => video.play()));
      requestAnimationFrame(tick);
    } else {
      for (const video of videos) video.pause();
      go(leader.ended ? clock() : leader.currentTime);
    }
    draw();
  });
  seek.addEventListener("input", () => { isSeeking = true; go((seek.value / 1000) * longest()); draw(); });
  seek.addEventListener("change", () => { isSeeking = false; });
  for (const video of videos) video.addEventListener("loadedmetadata", draw);
  draw();
}
