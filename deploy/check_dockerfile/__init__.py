"""Build the Dockerfile's steps in a plain root and try the service there, where no container engine is at hand.

    deploy/check-dockerfile                 make the root, try the service, print what was found (needs root)
    deploy/check-dockerfile --steps         only print the steps, as understood

The base is made by debootstrap and kept between runs (--cache). Every step runs by chroot in process and mount
namespaces of its own, so that nothing stays mounted or running, however this program ends. An instruction that
is not known here is an error: what passes is what an engine would do.

apt and pip inside the root use what this machine uses: its mirror, proxies, certificates and pip settings. They
are put under /run/host for the time of a step and never become part of the root.
"""
