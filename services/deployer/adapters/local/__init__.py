"""What the local carriers stand on: release folders, their processes, and the addresses they get.

Everything is known from the disk, so that any life of Windlass can go on where another was killed,
or takes over from one that was only believed to be dead:

    local/<pipeline>/<stage>/<step>/    one place; its stable address is the gateway's route of that name
        lock                            of whoever changes any of this, also from another process
        port                            the stable port, if it was chosen here
        removed/<run>.<attempt>         a release that was removed: it must not come back
        releases/<run>.<attempt>/       one release
            files/                      the artifact, never changed
            home/                       its processes' HOME
            port                        of its candidate address
            launch.json                 how its process is started
            switched, retired, ended, discarded     how far it has come
            lives/<n>/                  one process after the other; the highest counts
                port                    where it listens
                process/                see shared/process
"""
