# fish completion for chroot-distro, generated from its table of commands.

# Whether the cursor is at the command $argv[1] and, when given, at its operand $argv[2]: a number counted
# from 0, a number and a + for that one and all behind it, or the word inside for the words handed on.
function __chroot_distro_at
    set -l tokens (commandline -opc)
    set -l name ''
    set -l operand 0
    set -l valued
    set -l bare -1
    set -l trailing 0
    set -l inside 0
    set -l plain 0
    set -l skip 0
    set -l group ''
    for token in $tokens[2..-1]
        if test -z "$name" -o -n "$group"
            switch (string trim -- "$group $token")
                case '-*' '* -*'
                    continue
            case login sh
                set name login
                set group ''
                set valued -u --user -b --bind -v --volume -w --work-dir -e --env --hostname --dns --add-host --device --tmpfs --cap-add --cap-drop --memory --cpus --pids
                set bare 1
                set trailing 1
            case run
                set name run
                set group ''
                set valued --entrypoint -u --user -b --bind -v --volume -w --work-dir -e --env --hostname --dns --add-host --device --tmpfs --cap-add --cap-drop --memory --cpus --pids
                set bare -1
                set trailing 1
            case exec
                set name exec
                set group ''
                set valued -u --user -b --bind -v --volume -w --work-dir -e --env --hostname --dns --add-host --device --tmpfs --cap-add --cap-drop --memory --cpus --pids
                set bare 1
                set trailing 1
            case list li ls
                set name list
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case ps
                set name ps
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case install add i in ins
                set name install
                set group ''
                set valued -n --name --override-alias -a --architecture --pull
                set bare -1
                set trailing 0
            case remove rm
                set name remove
                set group ''
                set valued -a --architecture
                set bare -1
                set trailing 0
            case rename mv
                set name rename
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case reset
                set name reset
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case diff
                set name diff
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case commit
                set name commit
                set group ''
                set valued -a --author -m --message -c --change --compress
                set bare -1
                set trailing 0
            case backup bak bkp
                set name backup
                set group ''
                set valued -o --output --base -c --compress
                set bare -1
                set trailing 0
            case restore
                set name restore
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case export
                set name export
                set group ''
                set valued -o --output -c --compress
                set bare -1
                set trailing 0
            case kill k
                set name kill
                set group ''
                set valued -s --signal
                set bare -1
                set trailing 0
            case stop
                set name stop
                set group ''
                set valued -t --time
                set bare -1
                set trailing 0
            case start
                set name start
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case restart
                set name restart
                set group ''
                set valued -t --time
                set bare -1
                set trailing 0
            case logs log
                set name logs
                set group ''
                set valued -n --lines --tail
                set bare -1
                set trailing 0
            case attach
                set name attach
                set group ''
                set valued --detach-keys
                set bare -1
                set trailing 0
            case unmount umount um
                set name unmount
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case top
                set name top
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case stats
                set name stats
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case ports
                set name ports
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case events
                set name events
                set group ''
                set valued -n --lines
                set bare -1
                set trailing 0
            case pull 'image pull'
                set name pull
                set group ''
                set valued -a --architecture
                set bare -1
                set trailing 0
            case 'image ls' images 'image list'
                set name 'image ls'
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case 'image rm' 'image remove'
                set name 'image rm'
                set group ''
                set valued -a --architecture
                set bare -1
                set trailing 0
            case 'image tag'
                set name 'image tag'
                set group ''
                set valued -a --architecture
                set bare -1
                set trailing 0
            case 'image inspect'
                set name 'image inspect'
                set group ''
                set valued -a --architecture
                set bare -1
                set trailing 0
            case 'image history'
                set name 'image history'
                set group ''
                set valued -a --architecture
                set bare -1
                set trailing 0
            case 'image files'
                set name 'image files'
                set group ''
                set valued -l --layer -a --architecture
                set bare -1
                set trailing 0
            case 'image save'
                set name 'image save'
                set group ''
                set valued -o --output --format -a --architecture
                set bare -1
                set trailing 0
            case 'image load'
                set name 'image load'
                set group ''
                set valued -i --input -n --name
                set bare -1
                set trailing 0
            case 'image unpack'
                set name 'image unpack'
                set group ''
                set valued -o --output -a --architecture
                set bare -1
                set trailing 0
            case 'image du'
                set name 'image du'
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case 'image prune'
                set name 'image prune'
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case push 'image push'
                set name push
                set group ''
                set valued -a --architecture
                set bare -1
                set trailing 0
            case search find se
                set name search
                set group ''
                set valued -l --limit
                set bare -1
                set trailing 0
            case 'registry login'
                set name 'registry login'
                set group ''
                set valued -u --username
                set bare -1
                set trailing 0
            case 'registry logout'
                set name 'registry logout'
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case clear-cache clear cl
                set name clear-cache
                set group ''
                set valued --keep
                set bare -1
                set trailing 0
            case copy cp
                set name copy
                set group ''
                set valued --chown
                set bare -1
                set trailing 0
            case sync
                set name sync
                set group ''
                set valued --chown
                set bare -1
                set trailing 0
            case setup
                set name setup
                set group ''
                set valued --user
                set bare -1
                set trailing 0
            case info version-info nf
                set name info
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case doctor check
                set name doctor
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case help h he hel
                set name help
                set group ''
                set valued 
                set bare -1
                set trailing 0
            case image
                set name image
                set group image
                set valued 
                set bare -1
                set trailing 0
            case registry
                set name registry
                set group registry
                set valued 
                set bare -1
                set trailing 0
                case '*'
                    return 1
            end
        else if test $skip -eq 1
            set skip 0
        else if test $plain -eq 0; and test "$token" = "--"
            set plain 1
            if test $trailing -eq 1
                set inside 1
                break
            end
        else if test $plain -eq 0; and string match -q -- '-?*' $token
            contains -- $token $valued; and set skip 1
        else
            set operand (math $operand + 1)
            if test $bare -ge 0 -a $operand -gt $bare
                set inside 1
                break
            end
        end
    end
    test $bare -ge 0 -a $operand -ge $bare; and set -l ready 1; or set -l ready 0
    test "$name" = "$argv[1]"; or return 1
    switch "$argv[2]"
        case ''
            test $inside -eq 0 -a $plain -eq 0
        case inside
            test $inside -eq 1 -o $ready -eq 1
        case '*+'
            test $inside -eq 0 -a $operand -ge (string trim -r -c + -- $argv[2])
        case '*'
            test $inside -eq 0 -a $operand -eq $argv[2]
    end
end

complete -c chroot-distro -f
complete -c chroot-distro -n '__chroot_distro_at \'\'' -l no-elevate -d 'Do not become root by sudo, doas, pkexec or su; fail instead'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -l use-sudo -d 'On Termux, use sudo rather than su'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -s V -l version -d 'Show the version'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a login -d 'Start a shell or a command in a container'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a sh -d 'Start a shell or a command in a container'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a run -d 'Run what the image was made for'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a exec -d 'Run a command in a running container'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a list -d 'List installed containers'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a li -d 'List installed containers'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a ls -d 'List installed containers'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a ps -d 'List what runs'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a install -d 'Make a container of an image or an archive'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a add -d 'Make a container of an image or an archive'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a i -d 'Make a container of an image or an archive'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a in -d 'Make a container of an image or an archive'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a ins -d 'Make a container of an image or an archive'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a remove -d 'Delete containers and everything in them'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a rm -d 'Delete containers and everything in them'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a rename -d 'Give a container another name'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a mv -d 'Give a container another name'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a reset -d 'Make a container anew from its image'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a diff -d 'List what was changed in a container since its installation'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a commit -d 'Make an image of a container'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a backup -d 'Write a container into an archive'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a bak -d 'Write a container into an archive'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a bkp -d 'Write a container into an archive'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a restore -d 'Make a container of its backup'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a export -d 'Write a container\'s files into a squashfs image'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a kill -d 'Stop a container, or one session, at once'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a k -d 'Stop a container, or one session, at once'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a stop -d 'Ask a container to end, and make sure that it does'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a start -d 'Start a container\'s last detached command again'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a restart -d 'Stop a container and start its last detached command again'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a logs -d 'Show what detached sessions have written'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a log -d 'Show what detached sessions have written'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a attach -d 'Join the terminal of a detached session'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a unmount -d 'End what runs in a container, gently'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a umount -d 'End what runs in a container, gently'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a um -d 'End what runs in a container, gently'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a top -d 'List the processes of containers'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a stats -d 'Show what running containers use'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a ports -d 'List where containers listen'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a events -d 'Show when sessions started and ended'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a pull -d 'Fetch images into the store'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a images -d 'List the images in the store'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a push -d 'Upload an image to a registry'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a search -d 'Search Docker Hub for images'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a find -d 'Search Docker Hub for images'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a se -d 'Search Docker Hub for images'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a clear-cache -d 'Delete downloaded images'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a clear -d 'Delete downloaded images'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a cl -d 'Delete downloaded images'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a copy -d 'Copy files to, from and between containers'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a cp -d 'Copy files to, from and between containers'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a sync -d 'Bring files in, out of or between containers up to date'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a setup -d 'Let a group of people use the program without a password'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a info -d 'Show versions, places and containers'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a version-info -d 'Show versions, places and containers'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a nf -d 'Show versions, places and containers'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a doctor -d 'Find out what is wrong, and repair what is safe to repair'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a check -d 'Find out what is wrong, and repair what is safe to repair'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a help -d 'Show the help of a command'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a h -d 'Show the help of a command'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a he -d 'Show the help of a command'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a hel -d 'Show the help of a command'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a image -d 'Has the commands pull, ls, rm, tag, inspect, history, files, save, load, unpack, du, prune, push'
complete -c chroot-distro -n '__chroot_distro_at \'\'' -a registry -d 'Has the commands login, logout'
complete -c chroot-distro -n '__chroot_distro_at login' -s d -l detach -d 'Let it go on in the background, its output in a log; print the number that kill takes'
complete -c chroot-distro -n '__chroot_distro_at login' -s t -l tty -d 'With --detach: give the command a terminal, to be used by attach'
complete -c chroot-distro -n '__chroot_distro_at login' -s u -l user -x -d 'Be this user: name, uid, name:group or uid:gid'
complete -c chroot-distro -n '__chroot_distro_at login' -s b -l bind -r -f -a '(__fish_complete_directories)' -d 'Show a path of the host in the container; OPTS are words of mount(8) such as ro,nosuid'
complete -c chroot-distro -n '__chroot_distro_at login' -s v -l volume -r -f -a '(__fish_complete_directories)' -d 'The same as --bind'
complete -c chroot-distro -n '__chroot_distro_at login' -s w -l work-dir -x -d 'Start in this directory of the container'
complete -c chroot-distro -n '__chroot_distro_at login' -s e -l env -x -d 'Set a variable in the container'
complete -c chroot-distro -n '__chroot_distro_at login' -l shared-home -d 'Show your home directory as the user\'s home in the container'
complete -c chroot-distro -n '__chroot_distro_at login' -l shared-tmp -d 'Share the host\'s /tmp (the default, except on Termux)'
complete -c chroot-distro -n '__chroot_distro_at login' -l no-shared-tmp -d 'Keep the container\'s own /tmp'
complete -c chroot-distro -n '__chroot_distro_at login' -l minimal -d 'Share neither /tmp nor devices of the host; pass on almost no variables, not even the image\'s'
complete -c chroot-distro -n '__chroot_distro_at login' -l isolated -l isolate -d 'Keep the container in a boundary of its own; with =strict refuse when this machine cannot'
complete -c chroot-distro -n '__chroot_distro_at login' -l hostname -x -d 'Give the session a host name of its own'
complete -c chroot-distro -n '__chroot_distro_at login' -l dns -x -d 'Use this name server in the container'
complete -c chroot-distro -n '__chroot_distro_at login' -l add-host -x -d 'Add a line to the container\'s /etc/hosts'
complete -c chroot-distro -n '__chroot_distro_at login' -l device -r -F -d 'Give the container a device of the host, or all in a directory'
complete -c chroot-distro -n '__chroot_distro_at login' -l tmpfs -x -d 'Mount an empty memory file system; OPTS are words such as size=64m,mode=755'
complete -c chroot-distro -n '__chroot_distro_at login' -l rm -d 'Keep what is changed in memory; it vanishes when this session ends, and all else with it'
complete -c chroot-distro -n '__chroot_distro_at login' -l read-only -d 'Let nothing but memory file systems and binds be written to'
complete -c chroot-distro -n '__chroot_distro_at login' -l cap-add -x -d 'Leave the guest this capability, or ALL; see capabilities(7)'
complete -c chroot-distro -n '__chroot_distro_at login' -l cap-drop -x -d 'Take this capability, or ALL, from the guest'
complete -c chroot-distro -n '__chroot_distro_at login' -l privileged -d 'Leave the guest every capability and every system call'
complete -c chroot-distro -n '__chroot_distro_at login' -l no-new-privs -d 'Let no program in the session gain privileges, setuid ones included'
complete -c chroot-distro -n '__chroot_distro_at login' -l memory -x -d 'Let the container use at most this much memory, such as 512M'
complete -c chroot-distro -n '__chroot_distro_at login' -l cpus -x -d 'Let the container use at most N processors, such as 1.5'
complete -c chroot-distro -n '__chroot_distro_at login' -l pids -x -d 'Let the container have at most N processes and threads'
complete -c chroot-distro -n '__chroot_distro_at login' -l get-chroot-cmd -d 'Print what would be done as a shell command, and do nothing'
complete -c chroot-distro -n '__chroot_distro_at login' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at login 0' -f -a '(command chroot-distro __complete containers 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at login inside' -a '(complete -C (commandline -ct))'
complete -c chroot-distro -n '__chroot_distro_at run' -l entrypoint -x -d 'Run this instead of the image\'s Entrypoint and Cmd'
complete -c chroot-distro -n '__chroot_distro_at run' -s d -l detach -d 'Let it go on in the background, its output in a log; print the number that kill takes'
complete -c chroot-distro -n '__chroot_distro_at run' -s t -l tty -d 'With --detach: give the command a terminal, to be used by attach'
complete -c chroot-distro -n '__chroot_distro_at run' -s u -l user -x -d 'Be this user: name, uid, name:group or uid:gid'
complete -c chroot-distro -n '__chroot_distro_at run' -s b -l bind -r -f -a '(__fish_complete_directories)' -d 'Show a path of the host in the container; OPTS are words of mount(8) such as ro,nosuid'
complete -c chroot-distro -n '__chroot_distro_at run' -s v -l volume -r -f -a '(__fish_complete_directories)' -d 'The same as --bind'
complete -c chroot-distro -n '__chroot_distro_at run' -s w -l work-dir -x -d 'Start in this directory of the container'
complete -c chroot-distro -n '__chroot_distro_at run' -s e -l env -x -d 'Set a variable in the container'
complete -c chroot-distro -n '__chroot_distro_at run' -l shared-home -d 'Show your home directory as the user\'s home in the container'
complete -c chroot-distro -n '__chroot_distro_at run' -l shared-tmp -d 'Share the host\'s /tmp (the default, except on Termux)'
complete -c chroot-distro -n '__chroot_distro_at run' -l no-shared-tmp -d 'Keep the container\'s own /tmp'
complete -c chroot-distro -n '__chroot_distro_at run' -l minimal -d 'Share neither /tmp nor devices of the host; pass on almost no variables, not even the image\'s'
complete -c chroot-distro -n '__chroot_distro_at run' -l isolated -l isolate -d 'Keep the container in a boundary of its own; with =strict refuse when this machine cannot'
complete -c chroot-distro -n '__chroot_distro_at run' -l hostname -x -d 'Give the session a host name of its own'
complete -c chroot-distro -n '__chroot_distro_at run' -l dns -x -d 'Use this name server in the container'
complete -c chroot-distro -n '__chroot_distro_at run' -l add-host -x -d 'Add a line to the container\'s /etc/hosts'
complete -c chroot-distro -n '__chroot_distro_at run' -l device -r -F -d 'Give the container a device of the host, or all in a directory'
complete -c chroot-distro -n '__chroot_distro_at run' -l tmpfs -x -d 'Mount an empty memory file system; OPTS are words such as size=64m,mode=755'
complete -c chroot-distro -n '__chroot_distro_at run' -l rm -d 'Keep what is changed in memory; it vanishes when this session ends, and all else with it'
complete -c chroot-distro -n '__chroot_distro_at run' -l read-only -d 'Let nothing but memory file systems and binds be written to'
complete -c chroot-distro -n '__chroot_distro_at run' -l cap-add -x -d 'Leave the guest this capability, or ALL; see capabilities(7)'
complete -c chroot-distro -n '__chroot_distro_at run' -l cap-drop -x -d 'Take this capability, or ALL, from the guest'
complete -c chroot-distro -n '__chroot_distro_at run' -l privileged -d 'Leave the guest every capability and every system call'
complete -c chroot-distro -n '__chroot_distro_at run' -l no-new-privs -d 'Let no program in the session gain privileges, setuid ones included'
complete -c chroot-distro -n '__chroot_distro_at run' -l memory -x -d 'Let the container use at most this much memory, such as 512M'
complete -c chroot-distro -n '__chroot_distro_at run' -l cpus -x -d 'Let the container use at most N processors, such as 1.5'
complete -c chroot-distro -n '__chroot_distro_at run' -l pids -x -d 'Let the container have at most N processes and threads'
complete -c chroot-distro -n '__chroot_distro_at run' -l get-chroot-cmd -d 'Print what would be done as a shell command, and do nothing'
complete -c chroot-distro -n '__chroot_distro_at run' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at run 0' -f -a '(command chroot-distro __complete containers 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at run inside' -a '(complete -C (commandline -ct))'
complete -c chroot-distro -n '__chroot_distro_at exec' -s d -l detach -d 'Let it go on in the background, its output in a log; print the number that kill takes'
complete -c chroot-distro -n '__chroot_distro_at exec' -s t -l tty -d 'With --detach: give the command a terminal, to be used by attach'
complete -c chroot-distro -n '__chroot_distro_at exec' -s u -l user -x -d 'Be this user: name, uid, name:group or uid:gid'
complete -c chroot-distro -n '__chroot_distro_at exec' -s b -l bind -r -f -a '(__fish_complete_directories)' -d 'Show a path of the host in the container; OPTS are words of mount(8) such as ro,nosuid'
complete -c chroot-distro -n '__chroot_distro_at exec' -s v -l volume -r -f -a '(__fish_complete_directories)' -d 'The same as --bind'
complete -c chroot-distro -n '__chroot_distro_at exec' -s w -l work-dir -x -d 'Start in this directory of the container'
complete -c chroot-distro -n '__chroot_distro_at exec' -s e -l env -x -d 'Set a variable in the container'
complete -c chroot-distro -n '__chroot_distro_at exec' -l shared-home -d 'Show your home directory as the user\'s home in the container'
complete -c chroot-distro -n '__chroot_distro_at exec' -l shared-tmp -d 'Share the host\'s /tmp (the default, except on Termux)'
complete -c chroot-distro -n '__chroot_distro_at exec' -l no-shared-tmp -d 'Keep the container\'s own /tmp'
complete -c chroot-distro -n '__chroot_distro_at exec' -l minimal -d 'Share neither /tmp nor devices of the host; pass on almost no variables, not even the image\'s'
complete -c chroot-distro -n '__chroot_distro_at exec' -l isolated -l isolate -d 'Keep the container in a boundary of its own; with =strict refuse when this machine cannot'
complete -c chroot-distro -n '__chroot_distro_at exec' -l hostname -x -d 'Give the session a host name of its own'
complete -c chroot-distro -n '__chroot_distro_at exec' -l dns -x -d 'Use this name server in the container'
complete -c chroot-distro -n '__chroot_distro_at exec' -l add-host -x -d 'Add a line to the container\'s /etc/hosts'
complete -c chroot-distro -n '__chroot_distro_at exec' -l device -r -F -d 'Give the container a device of the host, or all in a directory'
complete -c chroot-distro -n '__chroot_distro_at exec' -l tmpfs -x -d 'Mount an empty memory file system; OPTS are words such as size=64m,mode=755'
complete -c chroot-distro -n '__chroot_distro_at exec' -l rm -d 'Keep what is changed in memory; it vanishes when this session ends, and all else with it'
complete -c chroot-distro -n '__chroot_distro_at exec' -l read-only -d 'Let nothing but memory file systems and binds be written to'
complete -c chroot-distro -n '__chroot_distro_at exec' -l cap-add -x -d 'Leave the guest this capability, or ALL; see capabilities(7)'
complete -c chroot-distro -n '__chroot_distro_at exec' -l cap-drop -x -d 'Take this capability, or ALL, from the guest'
complete -c chroot-distro -n '__chroot_distro_at exec' -l privileged -d 'Leave the guest every capability and every system call'
complete -c chroot-distro -n '__chroot_distro_at exec' -l no-new-privs -d 'Let no program in the session gain privileges, setuid ones included'
complete -c chroot-distro -n '__chroot_distro_at exec' -l memory -x -d 'Let the container use at most this much memory, such as 512M'
complete -c chroot-distro -n '__chroot_distro_at exec' -l cpus -x -d 'Let the container use at most N processors, such as 1.5'
complete -c chroot-distro -n '__chroot_distro_at exec' -l pids -x -d 'Let the container have at most N processes and threads'
complete -c chroot-distro -n '__chroot_distro_at exec' -l get-chroot-cmd -d 'Print what would be done as a shell command, and do nothing'
complete -c chroot-distro -n '__chroot_distro_at exec' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at exec 0' -f -a '(command chroot-distro __complete running 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at exec inside' -a '(complete -C (commandline -ct))'
complete -c chroot-distro -n '__chroot_distro_at list' -s q -l quiet -d 'Print only one word for each, one per line'
complete -c chroot-distro -n '__chroot_distro_at list' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at list' -s v -l verbose -d 'Show more of the images, as root: where their source is, user, directory, ports'
complete -c chroot-distro -n '__chroot_distro_at list' -l measure -d 'Measure the containers now'
complete -c chroot-distro -n '__chroot_distro_at list' -l image -d 'List the images in the store instead, as image ls does'
complete -c chroot-distro -n '__chroot_distro_at list' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at ps' -s q -l quiet -d 'Print only one word for each, one per line'
complete -c chroot-distro -n '__chroot_distro_at ps' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at ps' -s a -l all -d 'Show containers that do not run, too'
complete -c chroot-distro -n '__chroot_distro_at ps' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at install' -s n -l name -x -d 'Name of the container (default: that of the image)'
complete -c chroot-distro -n '__chroot_distro_at install' -l override-alias -x -d 'The same as --name'
complete -c chroot-distro -n '__chroot_distro_at install' -s a -l architecture -x -d 'Take the image for this processor: aarch64, arm, i686, riscv64, x86_64 or linux/arm64, ...'
complete -c chroot-distro -n '__chroot_distro_at install' -l pull -r -f -a 'missing always never' -d 'Ask the registry: missing (default), always or never'
complete -c chroot-distro -n '__chroot_distro_at install' -l allow-insecure -d 'Accept plain HTTP and any certificate from the registry'
complete -c chroot-distro -n '__chroot_distro_at install' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at install' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at install 0+' -F -a '(command chroot-distro __complete images 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at remove' -l image -d 'Remove images from the store instead, as image rm does'
complete -c chroot-distro -n '__chroot_distro_at remove' -s a -l architecture -x -d 'With --image: remove it for this processor only: aarch64, arm, i686, riscv64, x86_64 or linux/arm64, ...'
complete -c chroot-distro -n '__chroot_distro_at remove' -s v -l verbose -d 'Name each file that is deleted'
complete -c chroot-distro -n '__chroot_distro_at remove' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at remove' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at remove 0+' -f -a '(command chroot-distro __complete containers 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at rename' -s f -l force -d 'Stop it first when it runs'
complete -c chroot-distro -n '__chroot_distro_at rename' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at rename' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at rename 0' -f -a '(command chroot-distro __complete containers 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at reset' -s f -l force -d 'Stop it when it runs, once the fresh root is ready'
complete -c chroot-distro -n '__chroot_distro_at reset' -s u -l update -d 'Take the image that its name stands for now, from the registry'
complete -c chroot-distro -n '__chroot_distro_at reset' -l allow-insecure -d 'Accept plain HTTP and any certificate from the registry'
complete -c chroot-distro -n '__chroot_distro_at reset' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at reset' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at reset 0' -f -a '(command chroot-distro __complete containers 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at diff' -s a -l all -d 'List the files that the program itself has written, too'
complete -c chroot-distro -n '__chroot_distro_at diff' -s v -l verbose -d 'Tell what of each file was changed'
complete -c chroot-distro -n '__chroot_distro_at diff' -l stat -d 'Print only how many there are, and how large'
complete -c chroot-distro -n '__chroot_distro_at diff' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at diff' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at diff 0' -f -a '(command chroot-distro __complete containers 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at commit' -s a -l author -x -d 'Who made the image'
complete -c chroot-distro -n '__chroot_distro_at commit' -s m -l message -x -d 'What was changed, for the image\'s history'
complete -c chroot-distro -n '__chroot_distro_at commit' -s c -l change -x -d 'Change how the image is run: CMD, ENTRYPOINT, ENV, LABEL, EXPOSE, VOLUME, USER, WORKDIR, STOPSIGNAL, as in a Dockerfile'
complete -c chroot-distro -n '__chroot_distro_at commit' -l compress -r -f -a 'gzip zstd' -d 'Compress the layer with gzip (default) or zstd'
complete -c chroot-distro -n '__chroot_distro_at commit' -l live -d 'Let a running container go on meanwhile'
complete -c chroot-distro -n '__chroot_distro_at commit' -s q -l quiet -d 'Print nothing but the digest of the image'
complete -c chroot-distro -n '__chroot_distro_at commit' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at commit 0' -f -a '(command chroot-distro __complete containers 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at backup' -s o -l output -r -F -d 'Write to FILE, which must not exist yet'
complete -c chroot-distro -n '__chroot_distro_at backup' -l base -r -F -d 'Write only what has been changed since the backup FILE; - is standard input'
complete -c chroot-distro -n '__chroot_distro_at backup' -s c -l compress -r -f -a 'gzip bzip2 xz zstd none' -d 'Compress so, whatever FILE is called: gzip, bzip2, xz, zstd or none'
complete -c chroot-distro -n '__chroot_distro_at backup' -l numeric-zero -d 'Let everything in the archive belong to user and group 0'
complete -c chroot-distro -n '__chroot_distro_at backup' -l verify -d 'Read FILE again and compare it with the container'
complete -c chroot-distro -n '__chroot_distro_at backup' -l live -d 'Let a running container go on meanwhile'
complete -c chroot-distro -n '__chroot_distro_at backup' -s v -l verbose -d 'Name each file that is written'
complete -c chroot-distro -n '__chroot_distro_at backup' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at backup' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at backup 0' -f -a '(command chroot-distro __complete containers 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at restore' -s f -l force -d 'Replace a container that already has the name, and stop it first'
complete -c chroot-distro -n '__chroot_distro_at restore' -s v -l verbose -d 'Name each file that is restored'
complete -c chroot-distro -n '__chroot_distro_at restore' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at restore' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at restore 0' -F
complete -c chroot-distro -n '__chroot_distro_at restore 1+' -F
complete -c chroot-distro -n '__chroot_distro_at export' -s o -l output -r -F -d 'Write to FILE (default: CONTAINER.sqsh here), which must not exist yet'
complete -c chroot-distro -n '__chroot_distro_at export' -s c -l compress -r -f -a 'zstd gzip lzo lz4 xz' -d 'Compress with zstd (default), gzip, lzo, lz4 or xz'
complete -c chroot-distro -n '__chroot_distro_at export' -l numeric-zero -d 'Let everything belong to user and group 0, as enroot does'
complete -c chroot-distro -n '__chroot_distro_at export' -l live -d 'Let a running container go on meanwhile'
complete -c chroot-distro -n '__chroot_distro_at export' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at export' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at export 0' -f -a '(command chroot-distro __complete containers 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at kill' -s s -l signal -x -d 'Send this signal, by name or number, and no other'
complete -c chroot-distro -n '__chroot_distro_at kill' -s a -l all -d 'Every container that runs'
complete -c chroot-distro -n '__chroot_distro_at kill' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at kill 0+' -f -a '(command chroot-distro __complete running 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at stop' -s t -l time -x -d 'Wait this long before force is used (default 10)'
complete -c chroot-distro -n '__chroot_distro_at stop' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at stop 0+' -f -a '(command chroot-distro __complete running 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at start' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at start 0' -f -a '(command chroot-distro __complete containers 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at restart' -s t -l time -x -d 'Wait this long before force is used (default 10)'
complete -c chroot-distro -n '__chroot_distro_at restart' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at restart 0' -f -a '(command chroot-distro __complete containers 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at logs' -s f -l follow -d 'Go on with what is written until no detached session is left'
complete -c chroot-distro -n '__chroot_distro_at logs' -s n -l lines -l tail -x -d 'Begin with the last N lines'
complete -c chroot-distro -n '__chroot_distro_at logs' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at logs 0' -f -a '(command chroot-distro __complete containers 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at attach' -l detach-keys -x -d 'Leave with these keys, separated by commas (default ctrl-p,ctrl-q); empty for none'
complete -c chroot-distro -n '__chroot_distro_at attach' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at attach 0' -f -a '(command chroot-distro __complete running 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at unmount' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at unmount 0' -f -a '(command chroot-distro __complete running 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at top' -s q -l quiet -d 'Print only one word for each, one per line'
complete -c chroot-distro -n '__chroot_distro_at top' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at top' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at top 0+' -f -a '(command chroot-distro __complete running 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at stats' -s q -l quiet -d 'Print only one word for each, one per line'
complete -c chroot-distro -n '__chroot_distro_at stats' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at stats' -l no-stream -d 'Show it once'
complete -c chroot-distro -n '__chroot_distro_at stats' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at stats 0+' -f -a '(command chroot-distro __complete running 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at ports' -s q -l quiet -d 'Print only one word for each, one per line'
complete -c chroot-distro -n '__chroot_distro_at ports' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at ports' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at ports 0+' -f -a '(command chroot-distro __complete running 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at events' -s f -l follow -d 'Go on with what happens until interrupted'
complete -c chroot-distro -n '__chroot_distro_at events' -s n -l lines -x -d 'Begin with the last N events'
complete -c chroot-distro -n '__chroot_distro_at events' -l json -d 'Print a JSON object for each, one on a line'
complete -c chroot-distro -n '__chroot_distro_at events' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at pull' -s a -l architecture -x -d 'Take the image for this processor: aarch64, arm, i686, riscv64, x86_64 or linux/arm64, ...'
complete -c chroot-distro -n '__chroot_distro_at pull' -l allow-insecure -d 'Accept plain HTTP and any certificate from the registry'
complete -c chroot-distro -n '__chroot_distro_at pull' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at pull' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at pull 0+' -f -a '(command chroot-distro __complete images 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at \'image ls\'' -s q -l quiet -d 'Print only one word for each, one per line'
complete -c chroot-distro -n '__chroot_distro_at \'image ls\'' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at \'image ls\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'image rm\'' -s a -l architecture -x -d 'Remove it for this processor only: aarch64, arm, i686, riscv64, x86_64 or linux/arm64, ...'
complete -c chroot-distro -n '__chroot_distro_at \'image rm\'' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at \'image rm\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'image rm\' 0+' -f -a '(command chroot-distro __complete images 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at \'image tag\'' -s a -l architecture -x -d 'Name only the image for this processor: aarch64, arm, i686, riscv64, x86_64 or linux/arm64, ...'
complete -c chroot-distro -n '__chroot_distro_at \'image tag\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'image tag\' 0' -f -a '(command chroot-distro __complete images 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at \'image tag\' 1' -f -a '(command chroot-distro __complete images 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at \'image inspect\'' -s a -l architecture -x -d 'Show the image for this processor: aarch64, arm, i686, riscv64, x86_64 or linux/arm64, ...'
complete -c chroot-distro -n '__chroot_distro_at \'image inspect\'' -l json -d 'The same: there is no other form'
complete -c chroot-distro -n '__chroot_distro_at \'image inspect\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'image inspect\' 0' -f -a '(command chroot-distro __complete images 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at \'image history\'' -s q -l quiet -d 'Print only one word for each, one per line'
complete -c chroot-distro -n '__chroot_distro_at \'image history\'' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at \'image history\'' -s a -l architecture -x -d 'Show the image for this processor: aarch64, arm, i686, riscv64, x86_64 or linux/arm64, ...'
complete -c chroot-distro -n '__chroot_distro_at \'image history\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'image history\' 0' -f -a '(command chroot-distro __complete images 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at \'image files\'' -s q -l quiet -d 'Print only one word for each, one per line'
complete -c chroot-distro -n '__chroot_distro_at \'image files\'' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at \'image files\'' -s l -l layer -x -d 'List one layer: its number or digest'
complete -c chroot-distro -n '__chroot_distro_at \'image files\'' -s a -l architecture -x -d 'Look into the image for this processor: aarch64, arm, i686, riscv64, x86_64 or linux/arm64, ...'
complete -c chroot-distro -n '__chroot_distro_at \'image files\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'image files\' 0' -f -a '(command chroot-distro __complete images 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at \'image save\'' -s o -l output -r -F -d 'Write to FILE'
complete -c chroot-distro -n '__chroot_distro_at \'image save\'' -l format -r -f -a 'oci docker' -d 'What the archive looks like (default: oci)'
complete -c chroot-distro -n '__chroot_distro_at \'image save\'' -s a -l architecture -x -d 'Take the image for this processor: aarch64, arm, i686, riscv64, x86_64 or linux/arm64, ...'
complete -c chroot-distro -n '__chroot_distro_at \'image save\'' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at \'image save\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'image save\' 0+' -f -a '(command chroot-distro __complete images 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at \'image load\'' -s i -l input -r -F -d 'The same as the operand, as docker has it'
complete -c chroot-distro -n '__chroot_distro_at \'image load\'' -s n -l name -x -d 'Give the one image in it this name'
complete -c chroot-distro -n '__chroot_distro_at \'image load\'' -l replace -d 'Take names from images that have them'
complete -c chroot-distro -n '__chroot_distro_at \'image load\'' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at \'image load\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'image load\' 0' -F
complete -c chroot-distro -n '__chroot_distro_at \'image unpack\'' -s o -l output -r -f -a '(__fish_complete_directories)' -d 'Unpack to DIR (default: ./rootfs)'
complete -c chroot-distro -n '__chroot_distro_at \'image unpack\'' -s a -l architecture -x -d 'Unpack the image for this processor: aarch64, arm, i686, riscv64, x86_64 or linux/arm64, ...'
complete -c chroot-distro -n '__chroot_distro_at \'image unpack\'' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at \'image unpack\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'image unpack\' 0' -f -a '(command chroot-distro __complete images 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at \'image du\'' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at \'image du\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'image prune\'' -l all -d 'Remove images without a container, too'
complete -c chroot-distro -n '__chroot_distro_at \'image prune\'' -s v -l verbose -d 'Name each file that is deleted'
complete -c chroot-distro -n '__chroot_distro_at \'image prune\'' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at \'image prune\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at push' -s a -l architecture -x -d 'Upload the image for this processor: aarch64, arm, i686, riscv64, x86_64 or linux/arm64, ...'
complete -c chroot-distro -n '__chroot_distro_at push' -l allow-insecure -d 'Accept plain HTTP and any certificate from the registry'
complete -c chroot-distro -n '__chroot_distro_at push' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at push' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at push 0' -f -a '(command chroot-distro __complete images 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at push 1' -f -a '(command chroot-distro __complete images 2>/dev/null)'
complete -c chroot-distro -n '__chroot_distro_at search' -s q -l quiet -d 'Print only one word for each, one per line'
complete -c chroot-distro -n '__chroot_distro_at search' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at search' -s l -l limit -x -d 'At most so many, 1 to 100 (default 25)'
complete -c chroot-distro -n '__chroot_distro_at search' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'registry login\'' -s u -l username -x -d 'Who logs in; asked for otherwise'
complete -c chroot-distro -n '__chroot_distro_at \'registry login\'' -l password-stdin -d 'Read the password from standard input; needs --username'
complete -c chroot-distro -n '__chroot_distro_at \'registry login\'' -l allow-insecure -d 'Accept plain HTTP and any certificate from the registry'
complete -c chroot-distro -n '__chroot_distro_at \'registry login\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at \'registry logout\'' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at clear-cache' -l orphan -d 'Delete only what belongs to no image and to no container\'s image'
complete -c chroot-distro -n '__chroot_distro_at clear-cache' -l build-cache -d 'Delete only what builds have left behind and no image contains'
complete -c chroot-distro -n '__chroot_distro_at clear-cache' -l keep -x -d 'With --build-cache: leave this much of what was used last'
complete -c chroot-distro -n '__chroot_distro_at clear-cache' -s v -l verbose -d 'Name each file that is deleted'
complete -c chroot-distro -n '__chroot_distro_at clear-cache' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at clear-cache' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at copy' -s r -l recursive -d 'Copy directories with everything in them'
complete -c chroot-distro -n '__chroot_distro_at copy' -s m -l move -d 'Remove SRC when all of it has been copied and is on the disk'
complete -c chroot-distro -n '__chroot_distro_at copy' -l chown -x -d 'Give the copies to this user and group of the destination, by name or number'
complete -c chroot-distro -n '__chroot_distro_at copy' -s v -l verbose -d 'Name each entry'
complete -c chroot-distro -n '__chroot_distro_at copy' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at copy' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at copy 0' -F -a '(for name in (command chroot-distro __complete containers 2>/dev/null); echo $name:; end)'
complete -c chroot-distro -n '__chroot_distro_at copy 1' -F -a '(for name in (command chroot-distro __complete containers 2>/dev/null); echo $name:; end)'
complete -c chroot-distro -n '__chroot_distro_at sync' -s c -l checksum -d 'Compare the content of files, not their times'
complete -c chroot-distro -n '__chroot_distro_at sync' -s d -l delete -d 'Delete what is in DEST and not in SRC'
complete -c chroot-distro -n '__chroot_distro_at sync' -l chown -x -d 'Give the copies to this user and group of the destination, by name or number'
complete -c chroot-distro -n '__chroot_distro_at sync' -s v -l verbose -d 'Name each entry'
complete -c chroot-distro -n '__chroot_distro_at sync' -s q -l quiet -d 'Print nothing but errors'
complete -c chroot-distro -n '__chroot_distro_at sync' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at sync 0' -F -a '(for name in (command chroot-distro __complete containers 2>/dev/null); echo $name:; end)'
complete -c chroot-distro -n '__chroot_distro_at sync 1' -F -a '(for name in (command chroot-distro __complete containers 2>/dev/null); echo $name:; end)'
complete -c chroot-distro -n '__chroot_distro_at setup' -l user -x -d 'Put this user into the group (default: you)'
complete -c chroot-distro -n '__chroot_distro_at setup' -l uninstall -d 'Take back what setup has changed, and nothing else'
complete -c chroot-distro -n '__chroot_distro_at setup' -s q -l quiet -d 'Print nothing but warnings and errors'
complete -c chroot-distro -n '__chroot_distro_at setup' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at info' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at info' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at doctor' -l fix -d 'Delete debris, forget the dead, make the index anew; say what was done'
complete -c chroot-distro -n '__chroot_distro_at doctor' -l verify -d 'Also read every image and check its digests, which takes a while'
complete -c chroot-distro -n '__chroot_distro_at doctor' -s q -l quiet -d 'Print only what is not as it should be'
complete -c chroot-distro -n '__chroot_distro_at doctor' -l json -d 'Print a JSON document'
complete -c chroot-distro -n '__chroot_distro_at doctor' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at help' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at help 0' -f -a 'login run exec list ps install remove rename reset diff commit backup restore export kill stop start restart logs attach unmount top stats ports events pull push search clear-cache copy sync setup info doctor help image registry'
complete -c chroot-distro -n '__chroot_distro_at image' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at image 0' -f -a 'pull ls rm tag inspect history files save load unpack du prune push'
complete -c chroot-distro -n '__chroot_distro_at registry' -s h -l help -d 'Show this help'
complete -c chroot-distro -n '__chroot_distro_at registry 0' -f -a 'login logout'
