// A one-time link: the token leaves the address bar, and the form is sent at once unless somebody is signed in.
history.replaceState(null, "", "/sign-in/link");
const form = document.getElementById("link");
if ("send" in form.dataset) form.submit();
