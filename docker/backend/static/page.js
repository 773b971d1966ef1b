// Shows the health on the page; without JavaScript the link beside it does.
fetch("/health")
  .then((response) => response.json())
  .then((health) => { document.getElementById("health").textContent = health.status; })
  .catch(() => { document.getElementById("health").textContent = "unreachable"; });
