// Runs before everything else, in the oldest words: says what to do where this browser cannot hold a visit.
(function () {
  var missing =
    !window.isSecureContext ? "insecure" :
    !(window.HTMLScriptElement && HTMLScriptElement.supports && HTMLScriptElement.supports("importmap")) ? "old" :
    !(window.RTCPeerConnection && window.WebSocket && window.crypto && crypto.subtle) ? "old" :
    "";
  if (!missing) return;
  document.documentElement.setAttribute("data-floor", missing);
  document.addEventListener("DOMContentLoaded", function () {
    var words = document.getElementById("floor-" + missing), main = document.getElementById("main");
    main.textContent = "";
    main.appendChild(words);
    words.hidden = false;
  });
})();
